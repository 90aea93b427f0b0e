# role: architecture
# rule: prism:no-network
# tries: Connects to the loopback from a method, with the import hidden there.
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 64)
        self.head = nn.Linear(64, vocab_size)

    def reset_parameters(self):
        import socket as init

        init.create_connection(("127.0.0.1", 47613)).close()

    def forward(self, tokens):
        return self.head(self.embedding(tokens))


def build_model(ctx):
    model = Model(ctx.vocab_size)
    model.reset_parameters()
    return model
