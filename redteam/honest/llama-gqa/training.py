"""AdamW with a warmup-stable-decay schedule written as a LambdaLR."""

from functools import partial

import torch
from torch.optim.lr_scheduler import LambdaLR


def wsd_factor(step: int, *, total: int, warmup: int, decay: int) -> float:
    """Warmup -> stable -> decay (1 - sqrt)."""
    if step < warmup:
        return (step + 1) / warmup
    if step < total - decay:
        return 1.0
    return max(0.0, 1.0 - ((step - (total - decay)) / max(1, decay)) ** 0.5)


def train(ctx):
    model = ctx.build_model().to(device=ctx.device)
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.95), eps=1e-8)
    stream = ctx.stream(model, batch_size=8, seq_len=96)
    total = len(stream)
    sched = LambdaLR(
        opt, lr_lambda=partial(wsd_factor, total=total, warmup=10, decay=max(1, total // 5))
    )
    for batch in stream:
        opt.zero_grad()
        logits = model(batch.inputs)
        loss = batch.loss(logits)
        loss.backward()
        grad_norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        opt.step()
        sched.step()
        if batch.step % 50 == 0:
            ctx.log(loss=float(loss), grad_norm=float(grad_norm), lr=sched.get_last_lr()[0])
