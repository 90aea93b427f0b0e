"""How the model learns. `train(ctx)` is called once and sees the text once.

You are scored on every batch *before* you train on it: the weights are sealed, then the batch is
handed over, then `batch.loss` says how well those weights predicted it. So the score is the area
under your learning curve, in bits per byte of text. Learn fast, and never stop early: every byte
that you do not read costs 8 bits.
"""

import torch

SEQ_LEN = 128  # targets in a row; also how far back a prediction can look
PEAK_LR = 3e-3
WARMUP_STEPS = 20


def rows_per_batch(ctx):
    """Rows of a batch, from the length of the stream.

    Small batches give more updates, which is what a short stream needs. A recipe sets a least
    number of targets a step, rows times SEQ_LEN: 512 in the demo, 2,048 in the official one.
    """
    return 16 if ctx.token_budget < 50_000_000 else 128


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=PEAK_LR, betas=(0.9, 0.95), weight_decay=0.1
    )

    # The shape of the batches is fixed by this call. Two options are worth knowing:
    #   claims="eval"      if your model has dropout or batch statistics
    #   predictor=module   to be scored with other weights than those you train, an average say
    stream = ctx.stream(model, batch_size=rows_per_batch(ctx), seq_len=SEQ_LEN)
    # Exactly so many batches come, so schedules can end with the last one. `batch.progress` tells how
    # far the text is, from 0.0 to 1.0, where you would rather go by bytes than by steps.
    steps = len(stream)

    for step, batch in enumerate(stream):
        warmup = min(1.0, (step + 1) / WARMUP_STEPS)
        decay = max(0.05, 1.0 - step / steps)
        for group in optimizer.param_groups:
            group["lr"] = PEAK_LR * warmup * decay

        # `batch.inputs` and `batch.targets` are (B, T); `batch.mask` is False where there is no text,
        # at the end of the last rows. The first call of `batch.loss` for a batch is your prediction of it.
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

        # Numbers of your own for the report. They have no part in the score.
        if step % 20 == 0:
            ctx.log(loss=loss.item(), lr=PEAK_LR * warmup * decay)
