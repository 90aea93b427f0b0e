# role: architecture
# rule: prism:no-torch-escape
# tries: Defines an operator in a namespace of its own, by a decorator under an alias.
import torch
from torch import nn
import torch.library as kernels


@kernels.custom_op("bundle::scale", mutates_args=())
def scale(x: torch.Tensor) -> torch.Tensor:
    return x * 2


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
    return Model(ctx.vocab_size)
