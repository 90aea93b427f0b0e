"""Settings that no run on a CPU alone would show."""

import platform
from types import SimpleNamespace

import pytest
import torch

from prism_runtime import determinism
from prism_runtime.config import WorkerConfig
from prism_runtime.errors import ProtocolError
from prism_runtime.failures import Phase, describe, mark_phase
from prism_runtime.limits import PROTOCOL_VERSION


@pytest.mark.parametrize(
    ("limit_bytes", "expected"), [(250, [(0.25, 0)]), (0, []), (1_000, []), (2_000, [])]
)
def test_the_gpu_allocator_is_capped(
    monkeypatch: pytest.MonkeyPatch, limit_bytes: int, expected: list[tuple[float, int]]
) -> None:
    calls: list[tuple[float, int]] = []
    card = SimpleNamespace(total_memory=1_000)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: card)
    monkeypatch.setattr(
        torch.cuda.memory, "set_per_process_memory_fraction", lambda *a: calls.append(a)
    )
    determinism._cap_gpu_memory(limit_bytes)
    assert calls == expected


def test_glibc_takes_the_malloc_thresholds() -> None:
    assert determinism.raise_malloc_thresholds() == (platform.libc_ver()[0] == "glibc")


def config(**changes: object) -> dict[str, object]:
    numbers = dict.fromkeys(
        [
            "segment_bytes", "seed", "threads", "gpu_memory_bytes", "vocab_size", "end_of_text",
            "max_seq_len", "max_batch_size", "default_seq_len", "max_params", "token_budget",
            "step_budget", "byte_budget", "budget_seconds", "world_size", "rank", "local_rank",
        ],
        1,
    )  # fmt: skip
    texts = dict.fromkeys(
        ["bundle_dir", "architecture_file", "artifacts_dir", "data_dir", "tokenizer"], "x"
    )
    others = {
        "protocol": PROTOCOL_VERSION,
        "role": "auditor",
        "device": "cpu",
        "matmul_precision": "highest",
    }
    return numbers | texts | others | changes


def test_a_config_is_taken_as_it_is() -> None:
    parsed = WorkerConfig.from_json(config(seed=2**64 - 1, budget_seconds=0.5))
    assert (parsed.seed, parsed.budget_seconds, parsed.training_file) == (2**64 - 1, 0.5, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": PROTOCOL_VERSION - 1},
        {"protocol": PROTOCOL_VERSION + 1},
        {"byte_budget": 0},
        {"role": "referee"},
        {"role": "learner"},
        {"training_file": "training.py"},
        {"only_import": True},
        {"role": "learner", "training_file": "training.py", "only_import": 1},
        {"device": "tpu"},
        {"seed": "1"},
        {"seed": 1.0},
        {"threads": True},
        {"threads": 0},
        {"tokenizer": None},
        {"world_size": 2},
        {"surprise": 1},
    ],
    ids=str,
)
def test_a_wrong_config_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ProtocolError, match="CONFIG"):
        WorkerConfig.from_json(config(**changes))


def test_a_missing_field_is_named() -> None:
    values = config()
    del values["seed"]
    with pytest.raises(ProtocolError, match="seed"):
        WorkerConfig.from_json(values)


class _SealedError(Exception):
    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)

    def __str__(self) -> str:
        raise ValueError("no text")


def test_an_exception_that_defends_itself_is_still_described() -> None:
    error = _SealedError()
    mark_phase(error, Phase.BUILD_MODEL)
    failed = describe(error, Phase.TRAIN, "/bundle")
    assert (failed.phase, failed.reason, failed.exception) == (3, "exception", "_SealedError")
    assert failed.message == "(the exception could not be printed)"
    assert len(failed.encode()) <= failed.limit_bytes


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "out_of_memory"),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
            "out_of_memory",
        ),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"), "out_of_memory"),
        (OSError(12, "Cannot allocate memory"), "out_of_memory"),
        (ValueError("out of memory"), "exception"),
        (OSError(28, "No space left on device"), "artifact_quota"),
        (OSError(122, "Disk quota exceeded"), "artifact_quota"),
        (OSError(27, "File too large"), "artifact_quota"),
        (RuntimeError("PytorchStreamWriter failed writing file data/0"), "artifact_quota"),
        (FileNotFoundError(2, "No such file"), "exception"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_reasons_are_told_apart(error: Exception, reason: str) -> None:
    assert describe(error, Phase.TRAIN, "/bundle").reason == reason
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = error
    assert describe(wrapped, Phase.TRAIN, "/bundle").reason == reason
