"""Typed, frozen, validated configuration."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal, Mapping


class CellKind(str, enum.Enum):
    GRU = "gru"
    RNN = "rnn"


class Schedule(enum.IntEnum):
    CONSTANT = enum.auto()
    LINEAR = enum.auto()
    COSINE = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class CellConfig:
    kind: CellKind = CellKind.GRU
    hidden: int = 96
    layers: int = 2
    nonlinearity: Literal["tanh", "relu"] = "tanh"

    def __post_init__(self) -> None:
        if self.hidden <= 0 or self.layers <= 0:
            raise ValueError(f"sizes must be positive: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    lr: float = 3e-3
    batch_size: int = 16
    seq_len: int = 64
    schedule: Schedule = Schedule.LINEAR
    betas: tuple[float, float] = (0.9, 0.98)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def with_(self, **changes: Any) -> TrainConfig:
        return replace(self, **changes)


DEFAULT_CELL: Final[CellConfig] = CellConfig()
DEFAULT_TRAIN: Final = TrainConfig().with_(lr=4e-3)


def describe(config: CellConfig | TrainConfig) -> str:
    """One line, for the log."""
    return ", ".join(f"{key}={value!r}" for key, value in sorted(asdict(config).items()))
