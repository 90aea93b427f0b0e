# role: architecture
# rule: prism:no-dynamic-attr
# tries: Keeps torch as an attribute of the model and reaches its private module through self.
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.ops = torch
        self.embedding = nn.Embedding(vocab_size, 64)
        self.head = nn.Linear(64, vocab_size)

    def forward(self, tokens):
        self.ops._C._get_tracing_state()
        return self.head(self.embedding(tokens))


def build_model(ctx):
    return Model(ctx.vocab_size)
