"""A loop that counts tokens, pairs losses, takes medians, and prints a table."""

import warnings
from collections import Counter

import torch

from util import Window, pairs, snake, top

warnings.filterwarnings("ignore", category=UserWarning, module="torch")


class TooSlowWarning(UserWarning):
    pass


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses, seen = Window(maxlen=20), Counter()
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        loss = batch.loss(model(batch.inputs))
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
        seen.update(batch.targets[batch.mask].tolist())
        if all(b > a for a, b in pairs(losses)) and len(losses) == losses.maxlen:
            warnings.warn("the loss rises", TooSlowWarning, stacklevel=2)
    rows = [
        ("token", "count"),
        *top(seen).items(),
        (snake("MedianLoss"), round(losses.median(), 3)),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print("\n".join(f"{a!s:>12} {b!s:<8}" for a, b in rows))
