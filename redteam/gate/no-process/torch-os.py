# role: architecture
# rule: prism:no-process | prism:no-torch-escape
# tries: Reaches os through the import that torch itself keeps as an attribute.
import torch
from torch import nn

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
    torch.os.system("id")
    return Model(ctx.vocab_size)
