"""The usual GPT training loop: gradient accumulation, cosine schedule, autocast, MFU-like print."""

import math
import time
from contextlib import nullcontext

import torch

# -----------------------------------------------------------------------------
log_interval = 10
batch_size = 12
block_size = 64
gradient_accumulation_steps = 2
learning_rate = 1e-3
weight_decay = 1e-1
beta1 = 0.9
beta2 = 0.99
grad_clip = 1.0
decay_lr = True
warmup_iters = 10
min_lr = 1e-4
# -----------------------------------------------------------------------------


def get_lr(it, lr_decay_iters):
    # 1) linear warmup for warmup_iters steps
    if it < warmup_iters:
        return learning_rate * (it + 1) / (warmup_iters + 1)
    # 2) if it > lr_decay_iters, return min learning rate
    if it > lr_decay_iters:
        return min_lr
    # 3) in between, use cosine decay down to min learning rate
    decay_ratio = (it - warmup_iters) / (lr_decay_iters - warmup_iters)
    assert 0 <= decay_ratio <= 1
    coeff = 0.5 * (1.0 + math.cos(math.pi * decay_ratio))
    return min_lr + coeff * (learning_rate - min_lr)


def train(ctx):
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    device_type = "cuda" if "cuda" in ctx.device else "cpu"
    amp = (
        nullcontext()
        if device_type == "cpu"
        else torch.amp.autocast(device_type=device_type, dtype=torch.bfloat16)
    )
    model = ctx.build_model()
    model.to(ctx.device)
    optimizer = model.configure_optimizers(weight_decay, learning_rate, (beta1, beta2), device_type)
    stream = ctx.stream(model, batch_size=batch_size, seq_len=block_size)
    t0 = time.time()
    for iter_num, batch in enumerate(stream):
        lr = get_lr(iter_num, len(stream)) if decay_lr else learning_rate
        for param_group in optimizer.param_groups:
            param_group["lr"] = lr
        with amp:
            loss = batch.loss(model(batch.inputs)) / gradient_accumulation_steps
        loss.backward()
        if (iter_num + 1) % gradient_accumulation_steps == 0:
            if grad_clip != 0.0:
                torch.nn.utils.clip_grad_norm_(model.parameters(), grad_clip)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        t1 = time.time()
        dt, t0 = t1 - t0, t1
        if iter_num % log_interval == 0:
            lossf = loss.item() * gradient_accumulation_steps
            print(f"iter {iter_num}: loss {lossf:.4f}, time {dt * 1000:.2f}ms")
