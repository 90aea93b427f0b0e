"""Written for the older interface: PrismContext, an MLP over a window of the last tokens (Bengio 2003)."""

import torch
import torch.nn as nn
from prism_challenge.evaluator.interface import PrismContext

WINDOW = 6


class NeuralProbabilisticLM(nn.Module):
    def __init__(self, vocab_size: int, dim: int = 24, hidden: int = 128) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.table = nn.Embedding(vocab_size + 1, dim)  # +1: the blank before the text
        self.mlp = nn.Sequential(
            nn.Linear(WINDOW * dim, hidden),
            nn.Tanh(),
            nn.Linear(hidden, vocab_size),
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        padded = nn.functional.pad(tokens, (WINDOW - 1, 0), value=self.vocab_size)
        windows = padded.unfold(dimension=1, size=WINDOW, step=1)
        return self.mlp(self.table(windows).flatten(start_dim=2))


def build_model(ctx: PrismContext) -> nn.Module:
    torch.manual_seed(ctx.seed)
    model = NeuralProbabilisticLM(ctx.vocab_size)
    assert sum(p.numel() for p in model.parameters()) <= ctx.max_parameters
    return model
