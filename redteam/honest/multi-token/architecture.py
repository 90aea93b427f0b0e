"""Several heads predict the next tokens from one trunk; only the first one counts as the logits.

The extra heads are an auxiliary loss: head i at position t is asked for token t + 1 + i.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F


class TransformerTrunk(nn.Module):
    """Built of torch's own encoder layer with a causal mask."""

    def __init__(self, d, h, n):
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            d, h, 3 * d, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, n, norm=nn.LayerNorm(d), enable_nested_tensor=False
        )

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], device=x.device)
        return self.encoder(x, mask=mask, is_causal=True)


class MultiToken(nn.Module):
    def __init__(self, vocab, d=64, h=4, n=2, future=3):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, d), nn.Embedding(512, d)
        self.trunk = TransformerTrunk(d, h, n)
        self.heads = nn.ModuleList(
            [nn.Sequential(nn.Linear(d, d), nn.SiLU(), nn.LayerNorm(d)) for _ in range(future)]
        )
        self.unembed = nn.Linear(d, vocab, bias=False)
        self.register_parameter("temperature", nn.Parameter(torch.zeros(future)))

    def trunk_states(self, ids):
        return self.trunk(self.tok(ids) + self.pos(torch.arange(ids.shape[1], device=ids.device)))

    def head(self, states, i):
        return self.unembed(states + self.heads[i](states)) * self.temperature[i].exp()

    def forward(self, ids, *, all_heads: bool = False):
        states = self.trunk_states(ids)
        if not all_heads:
            return self.head(states, 0)
        return [self.head(states, i) for i in range(len(self.heads))]


def future_loss(logits, tokens, mask):
    """Cross-entropy of the later heads; `tokens` holds inputs and targets in one."""
    total = torch.zeros((), device=tokens.device)
    for i, out in enumerate(logits[1:], start=1):
        n = out.shape[1] - i
        target, ok = tokens[:, 1 + i :], mask[:, i:]
        nats = F.cross_entropy(out[:, :n].flatten(0, 1), target.flatten(), reduction="none")
        total = total + (nats * ok.flatten()).sum() / ok.sum().clamp(min=1)
    return total


def build_model(ctx):
    return MultiToken(ctx.vocab_size)
