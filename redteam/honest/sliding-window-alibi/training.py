"""torch.compile of the model, with a warning where it is not there; checkpoints of nothing."""

import warnings

import torch


def maybe_compile(model, device):
    """Compile on a GPU. A parameter called `compile` elsewhere would be no builtin either."""
    if device != "cuda":
        warnings.warn("not compiling on " + device, stacklevel=2)
        return model
    return torch.compile(model, mode="max-autotune-no-cudagraphs", dynamic=False)


def unwrap(model):
    """The module below torch.compile and DistributedDataParallel."""
    if hasattr(model, "_orig_mod"):
        model = model._orig_mod
    return model.module if hasattr(model, "module") else model


def train(ctx):
    torch.set_float32_matmul_precision("high")
    model = ctx.build_model().to(ctx.device)
    fast = maybe_compile(model, ctx.device)
    opt = torch.optim.AdamW(unwrap(fast).parameters(), lr=3e-3, fused=ctx.device == "cuda")
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        loss = batch.loss(fast(batch.inputs))
        loss.backward()
        opt.step()
        opt.zero_grad(set_to_none=True)
