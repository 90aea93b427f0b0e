"""Adam with no decay on the state matrices, tagged by name with a regular expression."""

import re

import torch

NO_DECAY = re.compile(r"(A_log|\.D$|bias$|norm)")


def split(model):
    yes, no = [], []
    for name, p in model.named_parameters():
        (no if NO_DECAY.search(name) else yes).append(p)
    return [dict(params=yes, weight_decay=0.1), dict(params=no, weight_decay=0.0)]


def train(ctx):
    m = ctx.build_model().to(ctx.device)
    o = torch.optim.AdamW(split(m), lr=3e-3)
    for b in ctx.stream(m, batch_size=4, seq_len=32):
        b.loss(m(b.inputs)).backward()
        o.step()
        o.zero_grad()
