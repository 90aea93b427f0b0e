"""Averages the last weights with torch.optim.swa_utils and predicts with the average."""

import torch
from torch.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.95), use_buffers=True)
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    stream = ctx.stream(model, batch_size=16, seq_len=64, claims="eval", predictor=average)
    swa_start = int(len(stream) * 0.75)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=max(1, swa_start))
    swa = SWALR(opt, swa_lr=5e-4, anneal_epochs=5)
    for i, batch in enumerate(stream):
        opt.zero_grad()
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        opt.step()
        average.update_parameters(model)
        (cosine if i < swa_start else swa).step()
