# role: architecture
# rule: prism:no-harness-access
# tries: Keeps ctx on the model and reads a private attribute of it in forward.
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, ctx):
        super().__init__()
        self.ctx = ctx
        self.embedding = nn.Embedding(ctx.vocab_size, 64)
        self.head = nn.Linear(64, ctx.vocab_size)

    def forward(self, tokens):
        print(self.ctx._session)
        return self.head(self.embedding(tokens))


def build_model(ctx):
    return Model(ctx)
