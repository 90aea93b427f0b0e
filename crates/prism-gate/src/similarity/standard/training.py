"""The usual training loops. Read as text for the comparison of bundles; never imported."""

import math
import time
from contextlib import nullcontext

import torch


def plain(ctx):
    model = ctx.build_model().to(ctx.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1)
    for batch in ctx.stream(model, batch_size=16, seq_len=128):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def shortest(ctx, model):
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()


def shortest_without_an_optimizer(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()


def shortest_in_full(ctx):
    model = ctx.build_model().to(ctx.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
        optimizer.step()
        optimizer.zero_grad()


def zero_first(ctx):
    model = ctx.build_model()
    model.to(ctx.device)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    for batch in ctx.stream(model, batch_size=16, seq_len=128):
        optimizer.zero_grad(set_to_none=True)
        logits = model(batch.inputs)
        loss = batch.loss(logits)
        loss.backward()
        optimizer.step()


def zero_first_and_clipped(ctx, optimizer, scheduler, model):
    for step, batch in enumerate(ctx.stream(model, batch_size=16, seq_len=128)):
        optimizer.zero_grad()
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        if step % 10 == 0:
            print(step, loss.item())


def scheduled(ctx, model, optimizer, stream):
    for step, batch in enumerate(stream):
        lr = schedule(step, len(stream))
        for group in optimizer.param_groups:
            group["lr"] = lr
        loss = batch.loss(model(batch.inputs))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def several_optimizers(model, batch, optimizers, schedulers):
    loss = batch.loss(model(batch.inputs))
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    for scheduler in schedulers:
        scheduler.step()
    for optimizer, scheduler in zip(optimizers, schedulers):
        optimizer.step()
        scheduler.step()
    model.zero_grad(set_to_none=True)


def automatic_precision(ctx):
    model = ctx.build_model().to(ctx.device)
    device_type = "cuda" if "cuda" in ctx.device else "cpu"
    amp = nullcontext() if device_type == "cpu" else torch.amp.autocast(device_type=device_type, dtype=torch.bfloat16)
    scaler = torch.amp.GradScaler(device_type, enabled=device_type == "cuda")
    optimizer = model.configure_optimizers(0.1, 6e-4, (0.9, 0.95), device_type)
    for step, batch in enumerate(ctx.stream(model, batch_size=12, seq_len=64)):
        with amp:
            loss = batch.loss(model(batch.inputs)) / 2
        with torch.autocast(device_type=ctx.device, dtype=torch.bfloat16):
            loss = batch.loss(model(batch.inputs))
        with torch.autocast(device_type=ctx.device, dtype=torch.bfloat16, enabled=ctx.device == "cuda"):
            logits = model(batch.inputs)
        scaler.scale(loss).backward()
        if (step + 1) % 2 == 0:
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad(set_to_none=True)


def accumulated(loss, model, optimizer, step):
    loss.backward()
    if (step + 1) % 2 == 0:
        if clip != 0.0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def compiled(ctx):
    torch.manual_seed(1337 + ctx.rank)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.set_float32_matmul_precision("high")
    model = ctx.build_model().to(ctx.device)
    model = torch.compile(model)
    compiled_model = torch.compile(model) if ctx.device == "cuda" else model
    started = time.time()
    now = time.time()
    elapsed, started = now - started, now
    return compiled_model, elapsed


def averaged(model, average, decay):
    with torch.no_grad():
        for old, new in zip(average.parameters(), model.parameters()):
            old.lerp_(new, 1 - decay)
        for old, new in zip(average.parameters(), model.parameters()):
            old.mul_(decay).add_(new, alpha=1 - decay)
        for old, new in zip(average.buffers(), model.buffers()):
            old.copy_(new)


def distributed(ctx, model):
    from torch.nn.parallel import DistributedDataParallel

    if ctx.world_size > 1:
        model = DistributedDataParallel(model, device_ids=[ctx.local_rank])
    raw = model.module if ctx.world_size > 1 else model
    return raw


def schedule(step, steps):
    return step / steps
