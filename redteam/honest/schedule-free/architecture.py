"""A minimal GRU (minGRU) computed in log space, with a registry filled by __init_subclass__.

h_t = (1 - z_t) h_{t-1} + z_t g(h̃_t),  as a logcumsumexp over log coefficients
"""

import torch
import torch.nn.functional as F
from torch import nn


class Mixer(nn.Module):
    """Subclasses are found by name."""

    registry: dict[str, type["Mixer"]] = {}
    name = "mixer"

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.registry[cls.name] = cls

    @classmethod
    def make(cls, name, *args):
        try:
            kind = cls.registry[name]
        except KeyError as error:
            raise ValueError(f"{name!r} is none of {', '.join(sorted(cls.registry))}") from error
        return kind(*args)


def log_g(x):
    return torch.where(x >= 0, (F.relu(x) + 0.5).log(), -F.softplus(-x))


class MinGRU(Mixer):
    name = "mingru"

    def __init__(self, d):
        super().__init__()
        self.to_hidden_and_gate = nn.Linear(d, 2 * d, bias=False)
        self.out = nn.Linear(d, d, bias=False)

    def forward(self, x):
        hidden, gate = self.to_hidden_and_gate(x).chunk(2, dim=-1)
        log_coeffs, log_values = -F.softplus(gate), -F.softplus(-gate) + log_g(hidden)
        a_star = log_coeffs.cumsum(dim=1)
        return self.out((a_star + (log_values - a_star).logcumsumexp(dim=1)).exp())


class MinLSTM(Mixer):
    name = "minlstm"

    def __init__(self, d):
        super().__init__()
        self.proj, self.out = nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d, bias=False)

    def forward(self, x):
        hidden, f, i = self.proj(x).chunk(3, dim=-1)
        diff = F.softplus(-f) - F.softplus(-i)
        log_f, log_i = -F.softplus(diff), -F.softplus(-diff)
        a_star = log_f.cumsum(dim=1)
        return self.out((a_star + (log_i + log_g(hidden) - a_star).logcumsumexp(dim=1)).exp())


class Model(nn.Module):
    def __init__(self, vocab, d, names):
        super().__init__()
        self.embed = nn.Embedding(vocab, d)
        self.mixers = nn.ModuleList(Mixer.make(name, d) for name in names)
        self.norms = nn.ModuleList(nn.RMSNorm(d) for _ in names)
        self.head = nn.Linear(d, vocab)

    def forward(self, ids):
        x = self.embed(ids)
        for norm, mixer in zip(self.norms, self.mixers):
            x = x + mixer(norm(x))
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size, 64, ["mingru", "minlstm", "mingru"])
