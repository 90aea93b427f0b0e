"""What CONFIG says, as a checked, immutable value.

Made once by `worker`, read by all roles. The referee is trusted, so a wrong CONFIG is a defect
of this project and not of the bundle: it raises `ProtocolError`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, cast, get_args

from .errors import ProtocolError
from .limits import PROTOCOL_VERSION

Role = Literal["learner", "auditor", "claimant"]
Device = Literal["cpu", "cuda"]


@dataclass(frozen=True)
class WorkerConfig:
    """The fields of the CONFIG object, under the same names. Units are in the names."""

    role: Role
    bundle_dir: str
    architecture_file: str
    artifacts_dir: str
    data_dir: str
    segment_bytes: int
    seed: int
    threads: int
    device: Device
    gpu_memory_bytes: int
    matmul_precision: str
    vocab_size: int
    end_of_text: int
    tokenizer: str
    max_seq_len: int
    max_batch_size: int
    default_seq_len: int
    max_params: int
    token_budget: int
    step_budget: int
    byte_budget: int
    budget_seconds: float
    world_size: int
    rank: int
    local_rank: int
    training_file: str | None = None
    only_import: bool = False

    @classmethod
    def from_json(cls, settings: Mapping[str, Any]) -> Self:
        """Check names and types of all fields; none may be missing, none unknown."""
        values = dict(settings)
        if values.pop("protocol", None) != PROTOCOL_VERSION:
            raise ProtocolError(f"CONFIG is not of protocol {PROTOCOL_VERSION}")
        known = {field.name: field for field in fields(cls)}
        unknown = sorted(values.keys() - known.keys())
        missing = sorted(known.keys() - values.keys() - {"training_file", "only_import"})
        if unknown or missing:
            raise ProtocolError(f"CONFIG: unknown {unknown}, missing {missing}")
        for name, value in values.items():
            _check_type(name, value, known[name].type)
        config = cls(**values)
        config._check()
        return config

    def _check(self) -> None:
        if self.role not in get_args(Role) or self.device not in get_args(Device):
            raise ProtocolError(f"CONFIG: role {self.role!r} on device {self.device!r}")
        if (self.role == "learner") != (self.training_file is not None):
            raise ProtocolError("CONFIG: a learner, and only a learner, has a training_file")
        if self.only_import and self.role != "learner":
            raise ProtocolError("CONFIG: a learner, and nobody else, may only import")
        if self.world_size != 1:
            raise ProtocolError("CONFIG: this version runs one rank")
        if self.threads < 1 or self.vocab_size < 1 or self.byte_budget < 1:
            raise ProtocolError("CONFIG: threads, vocab_size and byte_budget start at 1")


def _check_type(name: str, value: object, declared: object) -> None:
    if declared is bool:
        if not isinstance(value, bool):
            raise ProtocolError(f"CONFIG: {name} is {value!r}, not a bool")
        return
    if declared is float:
        wanted: tuple[type, ...] = (float, int)
    elif declared is int:
        wanted = (int,)
    else:
        wanted = (str, type(None)) if name == "training_file" else (str,)
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise ProtocolError(f"CONFIG: {name} is {value!r}, not {cast('Any', declared)}")
