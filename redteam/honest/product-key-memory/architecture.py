"""A product-key memory: n² values addressed by the sum of two scores over n half-keys each."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class PKM(nn.Module):
    def __init__(self, dim, n_keys=16, heads=2, knn=4, k_dim=32):
        super().__init__()
        self.heads, self.knn, self.n_keys, self.half = heads, knn, n_keys, k_dim // 2
        self.query_proj = nn.Sequential(
            nn.Linear(dim, heads * k_dim), nn.Unflatten(-1, (heads, 2, self.half))
        )
        self.query_norm = nn.LayerNorm(self.half)
        bound = 1 / math.sqrt(k_dim)
        self.keys = nn.Parameter(torch.empty(heads, 2, n_keys, self.half).uniform_(-bound, bound))
        self.values = nn.EmbeddingBag(n_keys**2, dim, mode="sum")
        nn.init.normal_(self.values.weight, mean=0, std=dim**-0.5)

    def forward(self, input):
        *prefix, dim = input.shape
        query = self.query_norm(self.query_proj(input.reshape(-1, dim)))
        scores = torch.einsum("bhsd,hsnd->bhsn", query, self.keys)
        (s1, i1), (s2, i2) = (scores[:, :, s].topk(self.knn, dim=-1) for s in (0, 1))
        all_scores = (s1.unsqueeze(-1) + s2.unsqueeze(-2)).flatten(-2)
        all_indices = (i1.unsqueeze(-1) * self.n_keys + i2.unsqueeze(-2)).flatten(-2)
        best, where = all_scores.topk(self.knn, dim=-1)
        indices = all_indices.gather(-1, where).flatten(1)
        weights = F.softmax(best.float(), dim=-1).type_as(input).flatten(1)
        return self.values(indices, per_sample_weights=weights).view(*prefix, dim)


class Model(nn.Module):
    def __init__(self, vocab, dim=64):
        super().__init__()
        self.token = nn.Embedding(vocab, dim)
        self.gru = nn.GRU(dim, dim, batch_first=True)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.memory = PKM(dim)
        self.proj = nn.Linear(dim, vocab)

    def forward(self, tokens):
        x, _ = self.gru(self.norm1(self.token(tokens)))
        return self.proj(self.norm2(x + self.memory(x)))


def build_model(ctx):
    return Model(ctx.vocab_size)
