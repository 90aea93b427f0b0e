# role: training
# rule: prism:no-dynamic-attr
# tries: Copies an attribute by a name of its own choice with the keyword of functools.wraps.
import functools

import torch


def train(ctx):
    model = ctx.build_model()
    NAMES = ("__glo" + "bals__",)

    @functools.wraps(torch.no_grad, assigned=NAMES)
    def copy():
        return None

    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
