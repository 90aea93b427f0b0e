"""Everything that makes two runs of one bundle the same, byte for byte.

Called by `worker` before any miner code is imported, by `loader` around `build_model`, and by
`forward` around the passes that the harness adds. Variables that libraries read when they are
loaded (OMP_NUM_THREADS, CUBLAS_WORKSPACE_CONFIG and the like) are the sandbox's part.
"""

import ctypes
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

import numpy as np
import torch

from .config import WorkerConfig

_NUMPY_SEED_SPAN: Final = 2**32

# mallopt(3) parameters of glibc, and the values that keep the memory of one forward for the next.
_M_TRIM_THRESHOLD: Final = -1
_M_TOP_PAD: Final = -2
_M_MMAP_THRESHOLD: Final = -3
_MMAP_THRESHOLD_BYTES: Final = 32 * 1024 * 1024  # the largest value that glibc accepts
_TRIM_THRESHOLD_BYTES: Final = 1024 * 1024 * 1024
_TOP_PAD_BYTES: Final = 64 * 1024 * 1024


def configure(config: WorkerConfig, note: Callable[[str], None]) -> None:
    """Set threads, precision, deterministic algorithms and seeds of this process.

    `note` receives the text of each warning about an operation that has no deterministic
    implementation on this device.
    """
    torch.set_num_threads(config.threads)
    torch.set_num_interop_threads(1)
    torch.set_float32_matmul_precision(config.matmul_precision)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = config.matmul_precision != "highest"
    _deterministic_algorithms()
    _report_nondeterminism(note)
    if config.device == "cuda":
        _cap_gpu_memory(config.gpu_memory_bytes)
    seed_everything(config.seed)


def seed_everything(seed: int) -> None:
    """Seed the generators of `random`, numpy and torch, on every device."""
    random.seed(seed)
    np.random.seed(seed % _NUMPY_SEED_SPAN)
    torch.manual_seed(seed)


@contextmanager
def preserved_generators() -> Iterator[None]:
    """Give every random generator back the state it had, whatever happens inside."""
    python = random.getstate()
    numpy = sys.modules.get("numpy.random")
    numpy_state = None if numpy is None else numpy.get_state()
    cpu = torch.get_rng_state()
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        random.setstate(python)
        if numpy is not None:
            numpy.set_state(numpy_state)
        torch.set_rng_state(cpu)
        if gpus is not None:
            torch.cuda.set_rng_state_all(gpus)


def raise_malloc_thresholds() -> bool:
    """Keep freed memory in the process instead of giving it back after every small forward.

    Without it a forward of one row spends about a third of its time in page faults. Returns
    whether the C library took the settings; one that does not is slower, not wrong.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    settings = (
        (_M_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES),
        (_M_TRIM_THRESHOLD, _TRIM_THRESHOLD_BYTES),
        (_M_TOP_PAD, _TOP_PAD_BYTES),
    )
    taken = [mallopt(parameter, value) for parameter, value in settings]
    return all(taken)


def _deterministic_algorithms() -> None:
    """Do what `torch.use_deterministic_algorithms(True, warn_only=True)` does, without its cost.

    That function imports the whole of inductor, a second or two, only to set one flag of it. The
    flag's own variable sets it when, and if, a bundle compiles.
    """
    os.environ["TORCHINDUCTOR_DETERMINISTIC"] = "1"
    torch.set_deterministic_debug_mode("warn")


def _cap_gpu_memory(limit_bytes: int) -> None:
    total_bytes = torch.cuda.get_device_properties(0).total_memory
    if 0 < limit_bytes < total_bytes:
        torch.cuda.memory.set_per_process_memory_fraction(limit_bytes / total_bytes, 0)


def _report_nondeterminism(note: Callable[[str], None]) -> None:
    """Send warnings about determinism to the report; all warnings still go to the log."""
    show = warnings.showwarning

    def showwarning(  # noqa: PLR0917  (the signature of `warnings.showwarning`)
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> Any:
        text = str(message)
        if "deterministic" in text:
            note(text)
        show(message, category, filename, lineno, file, line)

    warnings.showwarning = showwarning
