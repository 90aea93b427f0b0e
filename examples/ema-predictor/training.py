"""Train one model, predict with another: an exponential average of its past weights."""

import math

import torch
from torch.optim.swa_utils import AveragedModel

SEQ_LEN = 128
PEAK_LR = 4e-3
WARMUP_STEPS = 16
# The average looks back over a tenth of the steps so far, at most over the last hundred.
LONGEST_AVERAGE_STEPS = 100


def rows_per_batch(ctx):
    return 16 if ctx.token_budget < 50_000_000 else 128


def follow(average, weights, step):
    """Move the average towards the new weights; quickly at first, when they improve quickly."""
    horizon = min(1 + 0.1 * float(step), LONGEST_AVERAGE_STEPS)
    return average + (weights - average) / horizon


def lr_factor(step, steps):
    """Warm up linearly, then fall linearly to a third: averaging does the rest of the cooling."""
    return min((step + 1) / WARMUP_STEPS, 1.0 - 0.66 * step / max(1, steps))


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    average = AveragedModel(model, avg_fn=follow)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=PEAK_LR, betas=(0.9, 0.95), weight_decay=0.1
    )
    # `predictor` is what is scored. Its predictions come from one extra forward in eval mode
    # without gradients (`claims="eval"`), since the training forward is that of another model.
    # A model with dropout and no average would pass `claims="eval"` alone.
    stream = ctx.stream(
        model,
        batch_size=rows_per_batch(ctx),
        seq_len=SEQ_LEN,
        claims="eval",
        predictor=average,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: lr_factor(k, len(stream)))
    for step, batch in enumerate(stream):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        average.update_parameters(model)
        if step % 20 == 0:
            ctx.log(train_bits=loss.item() / math.log(2))
