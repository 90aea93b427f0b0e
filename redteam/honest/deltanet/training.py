"""RAdam and a ReduceLROnPlateau on a smoothed loss."""

from statistics import fmean
from collections import deque

import torch


def train(ctx):
    net = ctx.build_model().to(ctx.device)
    opt = torch.optim.RAdam(
        net.parameters(), lr=2e-3, decoupled_weight_decay=True, weight_decay=0.05
    )
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=20)
    recent: deque[float] = deque(maxlen=50)
    for batch in ctx.stream(net, batch_size=8, seq_len=64):
        opt.zero_grad()
        loss = batch.loss(net(batch.inputs))
        loss.backward()
        opt.step()
        recent.append(loss.item())
        plateau.step(fmean(recent))
