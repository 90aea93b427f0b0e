"""From an exception to a FAILED frame: which reason, and what the miner gets to read.

Called by `worker` when anything escapes from miner code. It shows only frames of the bundle,
with paths relative to it, and never a path of the host, of the harness or of site-packages.
"""

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

import torch

from .errors import PrismError, Reason
from .limits import (
    FAILED_MESSAGE_MAX_BYTES,
    FAILED_NAME_MAX_BYTES,
    FAILED_TRACEBACK_MAX_BYTES,
)
from .messages import Failed

_CUT: Final = "\n  ... (cut) ...\n"

_OUT_OF_MEMORY_TEXTS: Final = (
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
    "cublas_status_alloc_failed",
)
_QUOTA_ERRNOS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_QUOTA_TEXTS: Final = (
    "no space left on device",
    "disk quota exceeded",
    "pytorchstreamwriter failed",
)

# By name, so that inductor and triton need not be imported to recognise their errors.
_NO_COMPILER_TYPES: Final = frozenset({"InvalidCxxCompiler", "TritonMissing", "CppCompileError"})
_NO_COMPILER_TEXTS: Final = (
    "no working c++ compiler",
    "failed to find c compiler",
    "cannot find a working triton",
)
_COMPILER_HINT: Final = (
    "`torch.compile` needs a C++ compiler on the validator, and none could be used here. Run the "
    "model without `torch.compile`, or install g++ on this machine."
)
_EXIT_HINT: Final = (
    "Return from `train(ctx)` or `build_model(ctx)` instead of leaving the process, and raise an "
    "exception where something is wrong."
)


class Phase(IntEnum):
    """Where in the bundle's life the exception was raised; numbers of the protocol."""

    IMPORT_ARCHITECTURE = 0
    IMPORT_TRAINING = 1
    BUILD_MODEL = 2
    TRAIN = 3
    FORWARD = 4


def describe(error: BaseException, phase: Phase, bundle_dir: str) -> Failed:
    """Write the FAILED frame for `error`."""
    redact = _Redactor(bundle_dir)
    message = redact(_message_of(error))
    hint = _hint(error)
    if hint:
        # Some places show one line only: what the bundle itself said where it left, the advice
        # where a library failed.
        parts = (message, hint) if isinstance(error, SystemExit) else (hint, message)
        message = "\n".join(part for part in parts if part)
    return Failed(
        phase=phase_of(error, phase),
        reason=reason_of(error),
        exception=_clip(type(error).__name__, FAILED_NAME_MAX_BYTES),
        message=_clip(message, FAILED_MESSAGE_MAX_BYTES),
        traceback=_clip(_traceback_of(error, redact), FAILED_TRACEBACK_MAX_BYTES),
    )


def mark_phase(error: BaseException, phase: Phase) -> None:
    """Remember on the exception itself that it left `phase`, however far it travels."""
    # An exception class may refuse attributes; the outer phase is then reported.
    try:
        error.__prism_phase__ = phase  # type: ignore[attr-defined]
    except AttributeError:
        return


def phase_of(error: BaseException, outer: Phase) -> Phase:
    """Return the phase kept by `mark_phase`, else `outer`."""
    marked = getattr(error, "__prism_phase__", outer)
    return marked if isinstance(marked, Phase) else outer


def reason_of(error: BaseException) -> Reason:
    """Return the stable reason code for an exception or what caused it."""
    if isinstance(error, PrismError):
        return error.reason
    chain = list(_causes(error))
    if any(_is_quota(link) for link in chain):
        return "artifact_quota"
    if any(_is_out_of_memory(link) for link in chain):
        return "out_of_memory"
    return "exception"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception, then what it was raised from; not what merely happened before."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    text = _message_of(error).lower()
    return isinstance(error, RuntimeError) and any(part in text for part in _OUT_OF_MEMORY_TEXTS)


def _is_quota(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _QUOTA_ERRNOS
    text = _message_of(error).lower()
    return isinstance(error, RuntimeError) and any(part in text for part in _QUOTA_TEXTS)


def _hint(error: BaseException) -> str:
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return _EXIT_HINT
    for link in _causes(error):
        text = _message_of(link).lower()
        if type(link).__name__ in _NO_COMPILER_TYPES or any(t in text for t in _NO_COMPILER_TEXTS):
            return _COMPILER_HINT
    if reason_of(error) == "out_of_memory":
        return "The process ran out of memory. Lower `batch_size`, `seq_len` or the model's size."
    if reason_of(error) == "artifact_quota":
        return (
            "The scratch space is full. Write less to `ctx.artifacts_dir`; nothing that is "
            "written there is part of the score."
        )
    return ""


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # a miner's own exception class may fail to print
        return "(the exception could not be printed)"


class _Redactor:
    """Rewrites paths: those of the bundle become relative, all others lose their directory."""

    def __init__(self, bundle_dir: str) -> None:
        self._bundle = bundle_dir.rstrip(os.sep) + os.sep
        self._hidden = sorted(
            {entry.rstrip(os.sep) + os.sep for entry in (*sys.path, sys.prefix, sys.base_prefix)},
            key=len,
            reverse=True,
        )

    def __call__(self, text: str) -> str:
        text = text.replace(self._bundle, "")
        for directory in self._hidden:
            if len(directory) > 1:
                text = text.replace(directory, "")
        return text

    def relative(self, path: str) -> str | None:
        """Return a path inside the bundle as relative to it, None for any other path."""
        return path[len(self._bundle) :] if path.startswith(self._bundle) else None


def _traceback_of(error: BaseException, redact: _Redactor) -> str:
    try:
        report = traceback.TracebackException.from_exception(error, limit=-200)
        _keep_bundle_frames(report, redact)
        return redact("".join(report.format()))
    except Exception:  # formatting runs `repr` and `str` of the miner's own classes
        return ""


def _keep_bundle_frames(report: traceback.TracebackException, redact: _Redactor) -> None:
    """Drop the frames of harness and libraries from a report and from all it is chained to."""
    pending = [report]
    seen: set[int] = set()
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        kept = []
        for frame in part.stack:
            relative = redact.relative(frame.filename)
            if relative is not None:
                _ = frame.line  # read the source line while the true path is still there
                frame.filename = relative
                kept.append(frame)
        part.stack = traceback.StackSummary.from_list(kept)
        pending += [link for link in (part.__cause__, part.__context__) if link is not None]
        pending += part.exceptions or []


def _clip(text: str, limit_bytes: int) -> str:
    """Shorten to `limit_bytes` of UTF-8, keeping the end, where a traceback says most."""
    data = text.encode("utf-8", "backslashreplace")
    if len(data) > limit_bytes:
        room = limit_bytes - len(_CUT)
        head = data[: room // 4].decode("utf-8", "ignore")
        tail = data[len(data) - (room - room // 4) :].decode("utf-8", "ignore")
        return head + _CUT + tail
    return data.decode("utf-8")
