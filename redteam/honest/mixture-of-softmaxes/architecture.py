"""A mixture of softmaxes over an LSTM-like stack with variational dropout; log-probabilities as logits."""

import torch
from torch import nn
from torch.nn import functional as F


class LockedDropout(nn.Module):
    """One mask for all positions of a row."""

    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or not self.p:
            return x
        mask = torch.empty(x.shape[0], 1, x.shape[2], device=x.device).bernoulli_(1 - self.p)
        return x * mask.div_(1 - self.p)


class MoS(nn.Module):
    def __init__(self, d, vocab, experts=3):
        super().__init__()
        self.latent = nn.Sequential(
            nn.Linear(d, experts * d), nn.Tanh(), nn.Unflatten(-1, (experts, d))
        )
        self.prior, self.decoder = nn.Linear(d, experts, bias=False), nn.Linear(d, vocab)

    def forward(self, h):
        logp = F.log_softmax(self.decoder(self.latent(h)), dim=-1)
        return torch.logsumexp(logp + F.log_softmax(self.prior(h), dim=-1).unsqueeze(-1), dim=-2)


class Model(nn.Module):
    def __init__(self, vocab, d=64):
        super().__init__()
        self.emb, self.drop = nn.Embedding(vocab, d), LockedDropout()
        self.cells = nn.ModuleList([nn.LSTMCell(d, d), nn.GRUCell(d, d)])
        self.mos = MoS(d, vocab)

    def forward(self, ids):
        x = self.drop(self.emb(ids))
        for cell in self.cells:
            state, out = None, []
            for x_t in x.unbind(dim=1):
                state = cell(x_t, state)
                out.append(state[0] if isinstance(state, tuple) else state)
            x = self.drop(torch.stack(out, dim=1))
        return self.mos(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
