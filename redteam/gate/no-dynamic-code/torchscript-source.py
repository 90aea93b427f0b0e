# role: architecture
# rule: prism:no-dynamic-code | prism:no-torch-escape
# tries: Compiles TorchScript from a string.
import torch
from torch import nn

SOURCE = "def scale(x):\n    return x * 2\n"

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
    unit = torch.jit.CompilationUnit(SOURCE)
    unit.scale(torch.ones(1))
    return Model(ctx.vocab_size)
