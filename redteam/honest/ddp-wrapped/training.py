"""DistributedDataParallel where several processes train together; one process needs none of it."""

from contextlib import ExitStack

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel as DDP

ACCUMULATE = 2


def setup(ctx):
    if ctx.world_size > 1:
        dist.init_process_group(
            "nccl" if ctx.device == "cuda" else "gloo", rank=ctx.rank, world_size=ctx.world_size
        )
        if ctx.device == "cuda":
            torch.cuda.set_device(ctx.local_rank)


def cleanup(ctx):
    if ctx.world_size > 1 and dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()


def print0(ctx, *args, **kwargs):
    if ctx.rank == 0:
        print(*args, **kwargs)


def mean_over_ranks(ctx, value):
    if ctx.world_size > 1:
        dist.all_reduce(value, op=dist.ReduceOp.AVG)
    return value


def train(ctx):
    setup(ctx)
    try:
        model = ctx.build_model().to(ctx.device)
        wrapped = model
        if ctx.world_size > 1:
            wrapped = DDP(model, device_ids=[ctx.local_rank] if ctx.device == "cuda" else None)
        raw_model = wrapped.module if hasattr(wrapped, "module") else wrapped
        opt = torch.optim.AdamW(raw_model.parameters(), lr=1e-3)
        for step, batch in enumerate(ctx.stream(raw_model, batch_size=8, seq_len=64)):
            last = (step + 1) % ACCUMULATE == 0
            with ExitStack() as stack:
                if ctx.world_size > 1 and not last:
                    stack.enter_context(wrapped.no_sync())
                loss = batch.loss(wrapped(batch.inputs))
                (loss / ACCUMULATE).backward()
            if last:
                opt.step()
                opt.zero_grad()
            shown = mean_over_ranks(ctx, loss.detach().clone())
            if step % 50 == 0:
                print0(ctx, f"step {step:5d} | loss {shown.item():.4f}", flush=True)
            if ctx.rank == 0 and step % 50 == 0:
                ctx.log(loss=shown.item())
    finally:
        cleanup(ctx)
