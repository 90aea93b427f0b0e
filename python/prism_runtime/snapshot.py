"""Weights to and from the shared segment, fast enough to do at every step.

The learner exports with `Snapshot.save`, auditor and claimant import with `Snapshot.load`. The
views into the segment are made once, so that a step costs one fused copy and a check that the
model is still the one that was laid out.
"""

import mmap
import os
import warnings
from collections.abc import Set as AbstractSet
from typing import Literal, NoReturn

import torch
from torch import Tensor, nn

from .errors import PrismError, ProtocolError
from .layout import DTYPES, PARAMETER, Plan, named_tensors, plan, storage_key


class Snapshot:
    """One model bound to one segment."""

    def __init__(self, module: nn.Module, *, segment_bytes: int, max_params: int) -> None:
        """Lay out `module`, which must be unwrapped and have run its dummy forward."""
        self.plan = plan(module)
        _check_caps(self.plan, segment_bytes, max_params)
        self._views: list[Tensor] = []
        self._initial: list[Tensor] = []
        self._source: list[Tensor] = []
        self._untouched: list[int] = []
        self.bind(module)

    def bind(self, module: nn.Module) -> None:
        """Point at `module`, which must have the same tensors as the one laid out."""
        self._module = module
        self._resolve()

    def map_segment(self, descriptor: int, access: Literal["read", "write"]) -> None:
        """Map the segment and prepare one view of the right dtype and shape per tensor."""
        size_bytes = self.plan.total_bytes
        if os.fstat(descriptor).st_size < size_bytes:
            raise ProtocolError(f"the segment is smaller than the snapshot of {size_bytes} bytes")
        if size_bytes == 0:
            self._views = [torch.empty(e.shape, dtype=DTYPES[e.dtype]) for e in self.plan.entries]
            return
        mode = mmap.ACCESS_WRITE if access == "write" else mmap.ACCESS_READ
        mapping = mmap.mmap(descriptor, size_bytes, access=mode)
        with warnings.catch_warnings():
            # A read-only mapping is what the auditor is meant to have; nobody writes to it.
            warnings.filterwarnings("ignore", message=".*buffer is not writable.*")
            whole = torch.frombuffer(mapping, dtype=torch.uint8)
        self._views = []
        for entry, offset in zip(self.plan.entries, self.plan.offsets_bytes, strict=True):
            dtype = DTYPES[entry.dtype]
            end = offset + torch.Size(entry.shape).numel() * dtype.itemsize
            self._views.append(whole[offset:end].view(dtype).view(entry.shape))

    @torch.no_grad()
    def save(self) -> None:
        """Copy the model into the segment, after checking that it is still the same model."""
        _copy(self._views, self._current())
        if any(tensor.is_cuda for tensor in self._tensors):
            torch.cuda.synchronize()

    @torch.no_grad()
    def load(self) -> None:
        """Copy the segment into the model."""
        self._put(self._views)

    def keep_initial(self) -> None:
        """Keep a copy of the present weights in host memory, for `load_initial`."""
        self._initial = [tensor.detach().to("cpu", copy=True) for tensor in self._tensors]

    @torch.no_grad()
    def load_initial(self) -> None:
        """Copy the weights kept by `keep_initial` back into the model."""
        self._put(self._initial)

    @torch.no_grad()
    def load_parameters(self) -> None:
        """Copy the segment's parameters into the model, and the buffers kept by `keep_initial`."""
        pairs = zip(self.plan.entries, self._views, self._initial, strict=True)
        self._put([view if e.role == PARAMETER else kept for e, view, kept in pairs])

    @torch.no_grad()
    def restore(self) -> None:
        """Undo what a forward did to parameters or buffers since the last load.

        A prediction is a function of the snapshot and the row alone, so a model that writes to
        its own buffers starts every question from the same ones.
        """
        if self._source and self._marks() != self._untouched:
            self._put(self._source)

    def _put(self, source: list[Tensor]) -> None:
        tensors = self._current()
        _copy(tensors, source)
        self._source = source
        self._untouched = self._marks()

    def _marks(self) -> list[int]:
        """List what a forward changes when it writes to a tensor or replaces a buffer."""
        marks = [tensor._version for tensor in self._tensors]
        for part in self._parts:
            if part._buffers:
                marks.extend(map(id, part._buffers.values()))
        return marks

    def _current(self) -> list[Tensor]:
        """Return the tensors of the model in the order of the layout."""
        if self._fingerprint() != self._seen:
            self._resolve()
        return self._tensors

    def _fingerprint(self) -> list[object]:
        """List what must not change unnoticed; cheap enough for every step."""
        seen: list[object] = []
        for part in self._parts:
            seen.extend(map(id, part._parameters.values()))
            seen.extend(map(id, part._buffers.values()))
            seen.extend(map(id, part._modules.values()))
        seen.extend(tensor.shape for tensor in self._tensors)
        seen.extend(tensor.dtype for tensor in self._tensors)
        for alias, first in self._ties:
            seen.append(alias.data_ptr() == first.data_ptr())
        return seen

    def _resolve(self) -> None:
        """Find the tensors of the layout by name; anything missing, new or altered is an error."""
        found = named_tensors(self._module)
        expected = {entry.name for entry in self.plan.entries} | self.plan.aliases.keys()
        if found.keys() != expected:
            gone, new = expected - found.keys(), found.keys() - expected
            _changed(f"gone: {_some(gone)}; new: {_some(new)}")
        for entry in self.plan.entries:
            role, tensor = found[entry.name]
            now = (role, tensor.dtype, tuple(tensor.shape))
            if now != (entry.role, DTYPES[entry.dtype], entry.shape):
                _changed(
                    f"{entry.name} was {DTYPES[entry.dtype]} {entry.shape}, "
                    f"is {tensor.dtype} {tuple(tensor.shape)}"
                )
        for alias, first in self.plan.aliases.items():
            if storage_key(found[alias][1]) != storage_key(found[first][1]):
                _changed(f"{alias} no longer shares its memory with {first}")
        # The tensors are held from here on, so an id cannot come to mean another object.
        self._tensors = [found[entry.name][1] for entry in self.plan.entries]
        self._ties = [(found[a][1], found[b][1]) for a, b in self.plan.aliases.items()]
        self._parts = list(self._module.modules())
        self._seen = self._fingerprint()


def _copy(to: list[Tensor], source: list[Tensor]) -> None:
    if to:
        torch._foreach_copy_(to, source)


def _changed(what: str) -> NoReturn:
    raise PrismError(
        "snapshot_changed",
        f"The model is no longer the one that `ctx.stream` was opened with ({what}). Create all "
        "parameters and buffers in `build_model`, and change only their values afterwards.",
    )


def _some(names: AbstractSet[str]) -> str:
    shown = sorted(names)[:5]
    return ", ".join(shown) + (" ..." if len(names) > len(shown) else "") if shown else "none"


def _check_caps(layout: Plan, segment_bytes: int, max_params: int) -> None:
    if layout.parameter_count > max_params:
        raise PrismError(
            "parameter_cap",
            f"The model has {layout.parameter_count:,} parameters, at most {max_params:,} are "
            "allowed (tied ones count once). Make it smaller.",
        )
    if layout.total_bytes > segment_bytes:
        raise PrismError(
            "snapshot_cap",
            f"Parameters and buffers take {layout.total_bytes:,} bytes, at most {segment_bytes:,} "
            "are allowed. Drop large buffers, or keep weights in bfloat16.",
        )
