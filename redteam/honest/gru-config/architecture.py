"""GRU or plain RNN, chosen by a typed configuration with a match statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from config import DEFAULT_CELL, CellConfig, CellKind

if TYPE_CHECKING:
    from prism_runtime import Context


@runtime_checkable
class Recurrent(Protocol):
    hidden_size: int

    def __call__(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]: ...


def make_cell(config: CellConfig, width: int) -> nn.Module:
    match config:
        case CellConfig(kind=CellKind.GRU, hidden=hidden, layers=layers):
            return nn.GRU(width, hidden, layers, batch_first=True)
        case CellConfig(kind=CellKind.RNN, layers=(1 | 2 | 3) as layers):
            return nn.RNN(
                width, config.hidden, layers, nonlinearity=config.nonlinearity, batch_first=True
            )
        case CellConfig(kind=kind):
            raise ValueError(f"no cell for {kind} with {config.layers} layers")
        case _:
            raise TypeError(type(config).__name__)


class GRUModel(nn.Module):
    def __init__(self, vocab_size: int, width: int = 64, config: CellConfig = DEFAULT_CELL) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(vocab_size, width)
        self.cell = make_cell(config, width)
        assert isinstance(self.cell, Recurrent)
        self.norm = nn.LayerNorm(config.hidden)
        self.head = nn.Linear(config.hidden, vocab_size)

    @classmethod
    def from_context(cls, ctx: Context) -> GRUModel:
        return cls(ctx.vocab_size)

    @staticmethod
    def count(module: nn.Module) -> int:
        return sum(map(torch.Tensor.numel, module.parameters()))

    @property
    def num_parameters(self) -> int:
        return self.count(self)

    def forward(self, tokens: Tensor) -> Tensor:
        states, _ = self.cell(self.embedding(tokens))
        return self.head(self.norm(states))


def build_model(ctx: Context) -> nn.Module:
    return GRUModel.from_context(ctx)
