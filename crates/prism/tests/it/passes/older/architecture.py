# As bundles of the older interface do it: the table of positions is as long as `ctx.max_seq_len`.
import torch
from prism_challenge.evaluator.interface import PrismContext
from torch import nn

DIM = 32


class Model(nn.Module):
    def __init__(self, vocab_size: int, max_seq_len: int, layers: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, DIM)
        self.positions = nn.Embedding(max_seq_len, DIM)
        self.layers = nn.ModuleList([nn.Linear(DIM, DIM) for _ in range(layers)])
        self.head = nn.Linear(DIM, vocab_size)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1], device=tokens.device))
        for layer in self.layers:
            x = x + torch.tanh(layer(x))
        return self.head(x)


def build_model(ctx: PrismContext) -> nn.Module:
    return Model(ctx.vocab_size, ctx.max_seq_len, min(2, ctx.max_layers))
