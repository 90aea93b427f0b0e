# role: architecture
# rule: prism:no-dynamic-code
# tries: Makes the model's class at run time from strings, with type under another name.
import torch
from torch import nn
make = type


def forward(self, tokens):
    return self.head(self.embedding(tokens))


def build_model(ctx):
    model = make("Mo" + "del", (nn.Module,), {"for" + "ward": forward})()
    model.embedding = nn.Embedding(ctx.vocab_size, 64)
    model.head = nn.Linear(64, ctx.vocab_size)
    return model
