"""The forward passes that the harness itself runs, and the arithmetic of a claim.

Used by `session` (evaluation claims, the dummy forward), `batch` (the training loss) and the
two roles that only predict. It must leave no trace in the learner: training flags and random
generators come back exactly as they were.
"""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional

from .determinism import preserved_generators
from .errors import PrismError


def logits_of(output: object) -> Tensor:
    """Take the logits out of what a model returned: a tensor, a tuple, or `.logits`."""
    if isinstance(output, Tensor):
        return output
    named = getattr(output, "logits", None)
    if isinstance(named, Tensor):
        return named
    if isinstance(output, tuple | list) and output and isinstance(output[0], Tensor):
        return output[0]
    raise PrismError(
        "logits_shape",
        f"The model returned {type(output).__name__}, which holds no logits. Return a tensor of "
        "shape (B, T, vocab_size), a tuple that starts with it, or an object with `.logits`.",
    )


def check_logits(logits: Tensor, targets: Tensor, vocab_size: int) -> None:
    """Insist on floating logits of shape (B, T, vocab_size) for `targets` of shape (B, T)."""
    wanted = (*targets.shape, vocab_size)
    shape = tuple(logits.shape)
    if not shape:
        raise PrismError(
            "logits_shape",
            f"In place of logits there is a single number ({logits.dtype} of shape ()), as a loss "
            f"is, but this batch needs floats of shape (B, T, vocab_size) = {wanted}. "
            "`batch.loss` computes the loss itself: call `batch.loss(model(batch.inputs))`. Of a "
            "tuple that a model returns the first part is taken: return `(logits, loss)`.",
        )
    if shape[:-1] == wanted[:-1] and shape[-1] > vocab_size:
        raise PrismError(
            "logits_shape",
            f"The logits are of shape {shape}, and the vocabulary has {vocab_size} tokens. Where "
            "it is padded inside of the model, return `logits[..., :ctx.vocab_size]`.",
        )
    if shape != wanted or not logits.is_floating_point():
        raise PrismError(
            "logits_shape",
            f"The logits are {logits.dtype} of shape {shape}, but this batch needs "
            f"floats of shape (B, T, vocab_size) = {wanted}. Give the model `batch.inputs` and "
            "return one row of `ctx.vocab_size` logits for every position.",
        )


def token_nats(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the negative log-likelihood of each target, f32 (B, T), in nats.

    `logits` are (B, T, V) of any floating dtype, `targets` int64 (B, T). Differentiable.
    """
    flat = functional.cross_entropy(
        logits.float().flatten(0, 1), targets.flatten(), reduction="none"
    )
    return flat.view_as(targets)


def to_f32_bytes(values: Tensor) -> bytearray:
    """Copy a tensor of any shape, dtype and device to raw little-endian f32, row-major."""
    raw = bytearray(4 * values.numel())
    if raw:
        torch.frombuffer(raw, dtype=torch.float32).copy_(values.detach().reshape(-1))
    return raw


def tokens_from(raw: memoryview, shape: tuple[int, ...], device: str | torch.device) -> Tensor:
    """Copy raw i32 token ids into an int64 tensor of `shape` on `device`."""
    ids = torch.frombuffer(raw, dtype=torch.int32)
    return ids.to(device=device, dtype=torch.int64, copy=True).view(shape)


def device_of(module: nn.Module, otherwise: str) -> torch.device:
    """Return the device of the module's first parameter."""
    for parameter in module.parameters():
        return parameter.device
    return torch.device(otherwise)


@contextmanager
def evaluation_mode(module: nn.Module) -> Iterator[None]:
    """Put `module` into eval mode and give every submodule its own flag back afterwards."""
    flags = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        # Through `train` first, for modules that override it; then exactly, one by one, since
        # a frozen BatchNorm inside a training model is usual.
        module.train(flags[0][1])
        for part, training in flags:
            part.training = training


@contextmanager
def no_autocast() -> Iterator[None]:
    """Switch autocast off, on the CPU and on CUDA, as it is in the auditor."""
    with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
        yield


@contextmanager
def untraced(module: nn.Module) -> Iterator[None]:
    """All that an extra forward needs: eval mode, no gradients, no autocast, no trace left."""
    with preserved_generators(), evaluation_mode(module), torch.no_grad(), no_autocast():
        yield


def eager() -> AbstractContextManager[object]:
    """Run compiled modules without compiling them; nothing to do if none was ever compiled."""
    if "torch._dynamo" not in sys.modules:
        return nullcontext()
    stance: AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return stance


def dummy_forward(module: nn.Module, seq_len: int, end_of_text: int, device: str) -> None:
    """Run one row of `seq_len` end-of-text tokens, so that lazy parameters exist."""
    row = torch.full((1, seq_len), end_of_text, dtype=torch.int64, device=device_of(module, device))
    with untraced(module), eager():
        module(row)
