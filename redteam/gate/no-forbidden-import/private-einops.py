# role: architecture
# rule: prism:no-forbidden-import
# tries: Goes into the private modules of einops, which keep a list of all loaded modules.
import torch
from torch import nn
from einops import _backends as layouts

class Model(nn.Module):
    def __init__(self, vocab_size, width=64):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.mixer = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocab_size, bias=False)

    def forward(self, tokens):
        x, _ = self.mixer(self.embedding(tokens))
        return self.head(x)


def build_model(ctx):
    print(layouts.get_backend)
    return Model(ctx.vocab_size)
