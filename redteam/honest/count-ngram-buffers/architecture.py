"""Online n-gram counts in buffers, mixed with a small network: a compressor's way to do it.

The counts are buffers, so they travel with the weights; training adds the batch just learnt from.
    p(x | context) = Σ_n w_n · (counts_n[context, x] + α) / (total_n[context] + α V)
"""

import torch
import torch.nn.functional as F
from torch import nn

SLOTS = 1 << 9


class Counts(nn.Module):
    counts: torch.Tensor

    def __init__(self, vocab, order):
        super().__init__()
        self.order, self.vocab = order, vocab
        self.register_buffer("counts", torch.zeros(SLOTS, vocab))
        self.log_alpha = nn.Parameter(torch.tensor(-1.0))

    def context(self, ids):
        h = torch.zeros_like(ids)
        for i in range(self.order):
            h = (h * 31 + F.pad(ids, (i, 0))[:, : ids.shape[1]] + 1) % 1_000_003
        return h % SLOTS

    def update(self, ids, targets, mask):
        where = (self.context(ids) * self.vocab + targets)[mask]
        self.counts.view(-1).index_add_(0, where, torch.ones_like(where, dtype=torch.float32))

    def forward(self, ids):
        rows = self.counts[self.context(ids)]
        alpha = self.log_alpha.exp()
        return (rows + alpha) / (rows.sum(-1, keepdim=True) + alpha * self.vocab)


class Mixer(nn.Module):
    def __init__(self, vocab, orders=(1, 2, 3), d=48):
        super().__init__()
        self.counts = nn.ModuleList(Counts(vocab, n) for n in orders)
        self.emb, self.rnn = nn.Embedding(vocab, d), nn.GRU(d, d, batch_first=True)
        self.head, self.gate = nn.Linear(d, vocab), nn.Linear(d, len(orders) + 1)

    def update(self, ids, targets, mask):
        for counts in self.counts:
            counts.update(ids, targets, mask)

    def forward(self, ids):
        h, _ = self.rnn(self.emb(ids))
        experts = [self.head(h).softmax(-1)] + [counts(ids) for counts in self.counts]
        mixed = torch.einsum("btvk,btk->btv", torch.stack(experts, -1), self.gate(h).softmax(-1))
        return torch.log(mixed + 1e-9)


def build_model(ctx):
    return Mixer(ctx.vocab_size)
