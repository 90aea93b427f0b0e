"""Sparse-ish tables want Adagrad, the rest Adam; rows that were not seen are left alone."""

import torch

# the tables see each row rarely: give them a step of their own
TABLE_LR, LR = 0.05, 2e-3


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    tables, rest = [], []
    for name, param in model.named_parameters():
        target = tables if name.startswith("ngrams.") else rest
        target.append(param)
    opts = [torch.optim.Adagrad(tables, lr=TABLE_LR), torch.optim.AdamW(rest, lr=LR)]
    stream = ctx.stream(model, batch_size=32, seq_len=64)
    print(f"{len(stream)} steps; {sum(map(torch.numel, tables)):,} in tables")
    for batch in stream:
        [opt.zero_grad() for opt in opts]
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        [opt.step() for opt in opts]
