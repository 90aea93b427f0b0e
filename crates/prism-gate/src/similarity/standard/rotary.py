"""Rotary and sinusoidal positions in their usual forms. Read as text for the comparison of bundles; never imported."""

import math

import torch
import torch.nn as nn


def frequencies(width, length, base=10000.0):
    inverse = 1.0 / (base ** (torch.arange(0, width, 2).float() / width))
    angles = torch.outer(torch.arange(length).float(), inverse)
    return angles.cos(), angles.sin()


def complex_frequencies(width, length, base=10000.0):
    inverse = 1.0 / (base ** (torch.arange(0, width, 2)[: (width // 2)].float() / width))
    positions = torch.arange(length, device=inverse.device)
    angles = torch.outer(positions, inverse).float()
    return torch.polar(torch.ones_like(angles), angles)


def broadcast(table, x):
    shape = [size if at == 1 or at == x.ndim - 1 else 1 for at, size in enumerate(x.shape)]
    return table.view(*shape)


def rotate_complex(q, k, table):
    turned_q = torch.view_as_complex(q.float().reshape(*q.shape[:-1], -1, 2))
    turned_k = torch.view_as_complex(k.float().reshape(*k.shape[:-1], -1, 2))
    table = broadcast(table, turned_q)
    out_q = torch.view_as_real(turned_q * table).flatten(3)
    out_k = torch.view_as_real(turned_k * table).flatten(3)
    return out_q.type_as(q), out_k.type_as(k)


def half_turn(x):
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


def half_turn_by_slices(x):
    first = x[..., : x.shape[-1] // 2]
    second = x[..., x.shape[-1] // 2 :]
    return torch.cat((-second, first), dim=-1)


def rotate_halves(q, k, cos, sin):
    q = (q * cos) + (half_turn(q) * sin)
    k = (k * cos) + (half_turn(k) * sin)
    return q, k


def rotate_one(x, cos, sin):
    return x * cos + half_turn(x) * sin


def rotate_at_positions(q, k, cos, sin, positions, axis=1):
    cos = cos[positions].unsqueeze(axis)
    sin = sin[positions].unsqueeze(axis)
    return (q * cos) + (half_turn(q) * sin), (k * cos) + (half_turn(k) * sin)


def rotate_pairs(x, cos, sin):
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


def rotate_by_slices(x, cos, sin):
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def rotate_with_a_sign(x, cos, sin):
    half = x.shape[3] // 2
    first, second = x[..., :half], x[..., half:]
    y1 = first * cos + second * sin
    y2 = first * (-sin) + second * cos
    return torch.cat([y1, y2], 3).to(x.dtype)


def rotate_chunks(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


class Rotary(nn.Module):
    def __init__(self, width, base=10000):
        super().__init__()
        inverse = 1.0 / (base ** (torch.arange(0, width, 2).float() / width))
        self.register_buffer("inverse", inverse, persistent=False)
        self.seq_len_cached = None
        self.cos_cached = None
        self.sin_cached = None

    def forward(self, x):
        length = x.shape[1]
        if length != self.seq_len_cached:
            self.seq_len_cached = length
            t = torch.arange(length, device=x.device).type_as(self.inverse)
            angles = torch.outer(t, self.inverse).to(x.device)
            self.cos_cached = angles.cos()
            self.sin_cached = angles.sin()
        return self.cos_cached[None, :, None, :], self.sin_cached[None, :, None, :]


class RotaryOfDoubledAngles(nn.Module):
    def __init__(self, width, length=2048, base=10000):
        super().__init__()
        inverse = 1.0 / (base ** (torch.arange(0, width, 2).float() / width))
        t = torch.arange(length)
        angles = torch.einsum("i,j->ij", t, inverse)
        doubled = torch.cat((angles, angles), dim=-1)
        self.register_buffer("cos", doubled.cos(), persistent=False)
        self.register_buffer("sin", doubled.sin(), persistent=False)

    def forward(self, x):
        return self.cos[: x.shape[-2]], self.sin[: x.shape[-2]]


class Sinusoidal(nn.Module):
    def __init__(self, width, length):
        super().__init__()
        position = torch.arange(length).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        table = torch.zeros(length, width)
        table[:, 0::2] = torch.sin(position * rate)
        table[:, 1::2] = torch.cos(position * rate)
        self.register_buffer("table", table)

    def forward(self, x):
        return x + self.table[: x.size(1)]
