"""Griffin-like: RG-LRU recurrent blocks and one local-attention block, heavily typed.

a_t = a^(c r_t),   h_t = a_t ⊙ h_{t-1} + √(1 - a_t²) ⊙ (i_t ⊙ x_t)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from typing import (
    Annotated,
    Any,
    Literal,
    ParamSpec,
    Self,
    TypeVar,
    TypedDict,
    assert_never,
    cast,
    overload,
)

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import override

P = ParamSpec("P")
R = TypeVar("R")
Kind = Literal["recurrent", "local"]
Width = Annotated[int, "channels"]


class LayerSpec(TypedDict, total=False):
    kind: Kind
    window: int


def checked(fn: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Raise if the result has another number of dimensions than (B, T, D)."""

    @wraps(fn)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        out = fn(*args, **kwargs)
        if out.ndim != 3:
            raise ValueError(f"{fn.__name__} returned {out.ndim} dimensions")
        return out

    return wrapper


@overload
def at_least(value: None, least: int) -> None: ...
@overload
def at_least(value: int, least: int) -> int: ...
def at_least(value: int | None, least: int) -> int | None:
    return None if value is None else max(value, least)


class RGLRU(nn.Module):
    c: float = 8.0

    def __init__(self, width: Width) -> None:
        super().__init__()
        self.gates = nn.Linear(width, 2 * width)
        self.log_a = nn.Parameter(torch.linspace(2.0, 6.0, width))

    @checked
    def scan(self, a: Tensor, b: Tensor) -> Tensor:
        h, out = torch.zeros_like(b[:, 0]), []
        for a_t, b_t in zip(a.unbind(1), b.unbind(1), strict=True):
            h = torch.addcmul(b_t, a_t, h)
            out.append(h)
        return torch.stack(out, dim=1)

    @override
    def forward(self, x: Tensor) -> Tensor:
        r, i = self.gates(x).sigmoid().chunk(2, dim=-1)
        log_a = self.c * r * F.logsigmoid(self.log_a)
        multiplier = torch.sqrt(-torch.expm1(2 * log_a))
        return self.scan(log_a.exp(), multiplier * i * x)


class RecurrentBlock(nn.Module):
    def __init__(self, width: Width) -> None:
        super().__init__()
        self.x, self.y = nn.Linear(width, width), nn.Linear(width, width)
        self.conv = nn.Conv1d(width, width, 4, groups=width)
        self.lru, self.out = RGLRU(width), nn.Linear(width, width)

    def forward(self, u: Tensor) -> Tensor:
        x = self.conv(F.pad(self.x(u).mT, (3, 0))).mT
        return self.out(self.lru(x) * F.gelu(self.y(u)))


class LocalAttention(nn.Module):
    def __init__(self, width: Width, window: int) -> None:
        super().__init__()
        self.window = window
        self.q, self.kv, self.out = (
            nn.Linear(width, width),
            nn.Linear(width, width // 2),
            nn.Linear(width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        heads = 4
        q = self.q(x).unflatten(-1, (heads, -1)).transpose(1, 2)
        k, v = (t.unsqueeze(1).expand_as(q) for t in self.kv(x).chunk(2, dim=-1))
        n = torch.arange(x.shape[1], device=x.device)
        distance = n[:, None] - n[None, :]
        mask = (distance >= 0) & (distance < self.window)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(y.transpose(1, 2).flatten(2))


def make(spec: LayerSpec, width: Width) -> nn.Module:
    kind: Kind = spec.get("kind", "recurrent")
    if kind == "recurrent":
        return RecurrentBlock(width)
    elif kind == "local":
        return LocalAttention(width, at_least(spec.get("window", 32), 1))
    else:
        assert_never(kind)


class Griffin(nn.Module):
    def __init__(self, vocab: int, width: Width, specs: Sequence[LayerSpec]) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.layers = nn.ModuleList(make(spec, width) for spec in specs)
        self.norm = nn.RMSNorm(width, elementwise_affine=False)
        self.head = nn.Linear(width, vocab)

    @cached_property
    def width(self) -> int:
        return cast(int, self.embed.embedding_dim)

    def scaled(self, factor: float) -> Self:
        with torch.no_grad():
            self.embed.weight.mul_(factor)
        return self

    def forward(self, tokens: Tensor, **unused: Any) -> Tensor:
        x = self.embed(tokens) * self.width**0.5
        for layer in self.layers:
            x = x + layer(self.norm(x))
        return self.head(self.norm(x))


def build_model(ctx: Any) -> nn.Module:
    specs: list[LayerSpec] = [{"kind": "recurrent"}, {"kind": "local", "window": 24}, {}]
    return Griffin(ctx.vocab_size, 64, specs).scaled(0.1)
