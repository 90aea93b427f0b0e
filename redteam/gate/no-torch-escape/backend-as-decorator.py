# role: architecture
# rule: prism:no-torch-escape
# tries: Passes the backend in unpacked keywords to torch.compile, used as a decorator factory.
import torch
from torch import nn

OPTIONS = {"dynamic": False, "backend": lambda graph, inputs: graph.forward}

class Model(nn.Module):
    def __init__(self, vocab_size, width=64):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.mixer = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocab_size, bias=False)

    def forward(self, tokens):
        x, _ = self.mixer(self.embedding(tokens))
        return self.head(x)


@torch.compile(**OPTIONS)
def norm(x):
    return x / x.norm()


def build_model(ctx):
    return Model(ctx.vocab_size)
