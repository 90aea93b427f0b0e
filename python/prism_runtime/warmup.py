"""What a process does only once in its life, done before the referee seals it.

Called by `predictor`. A sealed process may compute and allocate memory and ask the kernel for
nothing else: it can start no thread, import no module and read no source file. So the thread
pools are started here, every road that an answer takes is taken once, and the lines that a
traceback would quote are read. Nothing here changes what a model answers.
"""

import contextlib
import gc
import linecache
import os
import sys
from collections.abc import Callable

import torch
from torch import Tensor

from .forward import to_f32_bytes, token_nats

# Enough elements for every library to use all of its threads.
_WIDE = 1024
# A processor without instructions for bfloat16 needs seconds for a product as wide as that.
_NARROW = 256


def start_pools() -> None:
    """Make each library start the threads that it computes with."""
    wide = torch.full((_WIDE, _WIDE), 0.5)
    wide.sum()
    wide @ wide
    narrow = wide[:_NARROW, :_NARROW].bfloat16()
    narrow @ narrow
    torch.fft.rfft(wide)
    with torch.enable_grad():
        leaf = wide[:2, :2].clone().requires_grad_()
        torch.autograd.grad((leaf * leaf).sum(), leaf)


def rehearse(answer: Callable[[Tensor], Tensor], rows: int, seq_len: int, vocab_size: int) -> None:
    """Answer a made-up question of one row, and one of two rows where a step has several.

    What a model raises on its way is raised again when it is asked in earnest.
    """
    for count in range(1, min(rows, 2) + 1):
        ids = torch.arange(count * seq_len, dtype=torch.int64).mul_(7919).remainder_(vocab_size)
        tokens = ids.view(count, seq_len)
        with contextlib.suppress(Exception):
            logits = answer(tokens)
            to_f32_bytes(logits[0, 0])
            to_f32_bytes(token_nats(logits, tokens.to(logits.device)))


def keep_sources(bundle_dir: str) -> None:
    """Read the bundle's own source lines now; from here on no line is read from a file."""
    root = bundle_dir.rstrip(os.sep) + os.sep
    for module in list(sys.modules.values()):
        path = str(getattr(module, "__file__", None) or "")
        if path.startswith(root):
            linecache.getlines(path)
    linecache.checkcache = _check_nothing
    linecache.updatecache = _no_lines


def keep_backend() -> None:
    """Settle what `torch.compile` looks for in a file at each call: that nobody bisects a compiler.

    `flex_attention` calls it in every forward, even where compiling is off.
    """
    bisector = sys.modules.get("torch._inductor.compiler_bisector")
    if bisector is not None:
        bisector.CompilerBisector.get_backend = _no_backend


def settle_memory() -> None:
    """Collect what is left over, so that no old object closes its file later."""
    gc.collect()
    gc.freeze()


def _check_nothing(filename: str | None = None) -> None:
    """Keep every line that was read."""
    del filename


def _no_lines(filename: str, module_globals: dict[str, object] | None = None) -> list[str]:
    """Answer as for a file that is not there."""
    del filename, module_globals
    return []


def _no_backend() -> None:
    """Leave the choice of a backend to the caller of `torch.compile`."""
