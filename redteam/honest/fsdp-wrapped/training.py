"""Fully sharded data parallelism with mixed precision, for several processes of one machine."""

from functools import partial

import torch
import torch.distributed as dist
from architecture import Block
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP
from torch.distributed.fsdp import MixedPrecision, ShardingStrategy
from torch.distributed.fsdp.wrap import transformer_auto_wrap_policy


def shard(model, ctx):
    policy = partial(transformer_auto_wrap_policy, transformer_layer_cls={Block})
    bf16 = MixedPrecision(
        param_dtype=torch.bfloat16, reduce_dtype=torch.float32, buffer_dtype=torch.float32
    )
    return FSDP(
        model,
        auto_wrap_policy=policy,
        mixed_precision=bf16,
        sharding_strategy=ShardingStrategy.SHARD_GRAD_OP,
        device_id=ctx.local_rank,
        use_orig_params=True,
    )


def train(ctx):
    distributed = ctx.world_size > 1
    is_main = ctx.rank == 0
    if distributed:
        dist.init_process_group(backend="nccl")
        torch.cuda.set_device(ctx.local_rank)
    model = ctx.build_model().to(ctx.device)
    if distributed:
        model = shard(model, ctx)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.95), weight_decay=0.1)
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        if distributed:
            model.clip_grad_norm_(1.0)
        else:
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if is_main and batch.step % 20 == 0:
            ctx.log(loss=loss.item())
    if distributed:
        dist.destroy_process_group()
