"""Which tensors a snapshot holds, under which names, and where each lies in the segment.

Used by `snapshot` in every role: the layouts of learner and auditor must come out equal, so both
come from here. Pure bookkeeping: it copies no tensor and runs no forward.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from .errors import PrismError
from .limits import (
    LAYOUT_ENTRIES_MAX,
    TENSOR_ALIGN_BYTES,
    TENSOR_DIMS_MAX,
    TENSOR_NAME_MAX_BYTES,
)
from .messages import Entry

PARAMETER: Final = 0
BUFFER: Final = 1

# The position of a dtype is its number on the wire.
DTYPES: Final = (
    torch.float32,
    torch.bfloat16,
    torch.float16,
    torch.float64,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
)

# Wrappers that hold the model to predict with, by class name, so that none need be imported.
_WRAPPERS: Final = {
    "torch._dynamo.eval_frame.OptimizedModule": "_orig_mod",
    "torch.nn.parallel.data_parallel.DataParallel": "module",
    "torch.nn.parallel.distributed.DistributedDataParallel": "module",
    "torch.optim.swa_utils.AveragedModel": "module",
}


@dataclass(frozen=True)
class Plan:
    """The layout of one model, fixed at the first snapshot."""

    entries: tuple[Entry, ...]
    offsets_bytes: tuple[int, ...]
    total_bytes: int
    # Names left out because their tensor already stands under another name.
    aliases: dict[str, str]

    @property
    def parameter_count(self) -> int:
        """Count the elements of all parameters, tied ones once."""
        shapes = (entry.shape for entry in self.entries if entry.role == PARAMETER)
        return sum(torch.Size(shape).numel() for shape in shapes)


def unwrap(module: nn.Module) -> nn.Module:
    """Strip DDP, DataParallel, AveragedModel and `torch.compile` from around a model."""
    while True:
        ancestors = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(module).__mro__)
        attribute = next((_WRAPPERS[name] for name in ancestors if name in _WRAPPERS), None)
        if attribute is None:
            return module
        module = getattr(module, attribute)


def named_tensors(module: nn.Module) -> dict[str, tuple[int, Tensor]]:
    """Map each stripped name to role and tensor: parameters, then buffers, tied ones too."""
    found: dict[str, tuple[int, Tensor]] = {}
    for name, role, tensor in _walk(module):
        stripped = _strip(name)
        if stripped in found:
            if found[stripped][1] is tensor:
                continue
            raise PrismError(
                "contract",
                f"Two tensors of the model are both called {stripped!r} once the wrapper prefixes "
                "`module.` and `_orig_mod.` are removed. Rename the attribute.",
            )
        found[stripped] = (role, tensor)
    return found


def plan(module: nn.Module) -> Plan:
    """Lay out the parameters and buffers of `module`, which has run its dummy forward."""
    entries: list[Entry] = []
    offsets_bytes: list[int] = []
    first_names: dict[object, str] = {}
    aliases: dict[str, str] = {}
    end_bytes = 0
    for name, (role, tensor) in named_tensors(module).items():
        _check_tensor(name, tensor)
        if tensor.numel():
            first = first_names.setdefault(storage_key(tensor), name)
            if first != name:
                aliases[name] = first
                continue
        offset = -(-end_bytes // TENSOR_ALIGN_BYTES) * TENSOR_ALIGN_BYTES
        entries.append(Entry(name, role, DTYPES.index(tensor.dtype), tuple(tensor.shape)))
        offsets_bytes.append(offset)
        end_bytes = offset + tensor.numel() * tensor.element_size()
    if len(entries) > LAYOUT_ENTRIES_MAX:
        raise PrismError(
            "snapshot_cap",
            f"The model has {len(entries)} tensors, at most {LAYOUT_ENTRIES_MAX} can be measured. "
            "Stack small parameters into larger ones.",
        )
    return Plan(tuple(entries), tuple(offsets_bytes), end_bytes, aliases)


def storage_key(tensor: Tensor) -> tuple[object, ...]:
    """Return what two tied tensors have in common: storage, offset, shape and strides."""
    return (
        tensor.device,
        tensor.untyped_storage().data_ptr(),
        tensor.storage_offset(),
        tensor.dtype,
        tuple(tensor.shape),
        tensor.stride(),
    )


def _walk(module: nn.Module) -> Iterator[tuple[str, int, Tensor]]:
    parameters = module.named_parameters(remove_duplicate=False)
    buffers = module.named_buffers(remove_duplicate=False)
    return chain(
        ((name, PARAMETER, tensor) for name, tensor in parameters),
        ((name, BUFFER, tensor) for name, tensor in buffers),
    )


def _strip(name: str) -> str:
    parts = [part for part in name.split(".") if part != "_orig_mod"]
    while len(parts) > 1 and parts[0] == "module":
        del parts[0]
    return ".".join(parts)


def _check_tensor(name: str, tensor: Tensor) -> None:
    if is_lazy(tensor):
        raise PrismError(
            "contract",
            f"The lazy tensor {name!r} has no shape even after a forward of the whole model. Use "
            "it in `forward`, or give it its size in `build_model`.",
        )
    if len(name.encode("utf-8", "replace")) > TENSOR_NAME_MAX_BYTES:
        raise PrismError(
            "contract",
            f"The name of a tensor is longer than {TENSOR_NAME_MAX_BYTES} bytes: {name[:80]!r}... "
            "Nest the modules less deeply or rename them.",
        )
    if tensor.dtype not in DTYPES or tensor.layout is not torch.strided:
        raise PrismError(
            "snapshot_dtype",
            f"The tensor {name!r} is {tensor.dtype} ({tensor.layout}), which cannot be measured. "
            "Keep parameters and buffers dense and float32, bfloat16, float16, float64, an "
            "integer type or bool; store complex numbers as `torch.view_as_real(...)`.",
        )
    pairs = zip(tensor.shape, tensor.stride(), strict=True)
    if any(size > 1 and stride == 0 for size, stride in pairs):
        raise PrismError(
            "contract",
            f"The elements of the tensor {name!r} share memory with each other (`expand`). "
            "Register `tensor.contiguous()` instead.",
        )
    if tensor.dim() > TENSOR_DIMS_MAX:
        raise PrismError(
            "snapshot_dtype",
            f"The tensor {name!r} has {tensor.dim()} dimensions, at most {TENSOR_DIMS_MAX} can be "
            "measured. Flatten some of them.",
        )
