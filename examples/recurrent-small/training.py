"""AdamW with a linear warm-up and a cosine decay over the one pass that there is."""

import math

import torch

SEQ_LEN = 128
PEAK_LR = 4e-3
FINAL_LR_FRACTION = 0.1
WARMUP_FRACTION = 0.03
WEIGHT_DECAY = 0.1
MAX_GRADIENT_NORM = 1.0
LOG_EVERY_STEPS = 20


def rows_per_batch(ctx):
    """Many small steps learn fastest from a short stream; a long one asks for larger steps."""
    return 16 if ctx.token_budget < 50_000_000 else 128


def lr_factor(step, steps):
    """The learning rate of `step`, as a fraction of its peak."""
    warmup = max(1, round(WARMUP_FRACTION * steps))
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, steps - warmup))
    cosine = 0.5 * (1 + math.cos(math.pi * progress))
    return FINAL_LR_FRACTION + (1 - FINAL_LR_FRACTION) * cosine


def make_optimizer(model):
    """AdamW; matrices decay, gains do not."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=PEAK_LR, betas=(0.9, 0.95))


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    optimizer = make_optimizer(model)
    stream = ctx.stream(model, batch_size=rows_per_batch(ctx), seq_len=SEQ_LEN)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: lr_factor(step, len(stream))
    )
    for step, batch in enumerate(stream):
        loss = batch.loss(model(batch.inputs))  # the mean in nats, and this step's score
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()
        optimizer.zero_grad()
        if step % LOG_EVERY_STEPS == 0:
            ctx.log(loss=loss.item(), gradient_norm=norm.item(), lr=schedule.get_last_lr()[0])
        schedule.step()
