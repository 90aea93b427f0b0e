"""The warm-up leaves no trace in the model, and nothing to ask the kernel for."""

import linecache
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch._inductor.compiler_bisector import CompilerBisector

from prism_runtime import warmup
from prism_runtime.messages import Load
from prism_runtime.predictor import Predictor
from prism_runtime.snapshot import Snapshot


@pytest.fixture
def own_linecache() -> Iterator[None]:
    """Give the line cache its own functions back afterwards."""
    check, update = linecache.checkcache, linecache.updatecache
    yield
    linecache.checkcache, linecache.updatecache = check, update


class Counter(nn.Module):
    """Writes to a buffer at each forward."""

    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Embedding(7, 7)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, tokens: Tensor) -> Tensor:
        self.calls.add_(1)
        logits: Tensor = self.head(tokens)
        return logits


def test_a_rehearsal_changes_neither_weights_nor_buffers() -> None:
    model = Counter()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    snapshot = Snapshot(model, segment_bytes=1 << 20, max_params=1000)
    snapshot.keep_initial()
    predictor = Predictor(model, snapshot)
    with torch.no_grad():
        predictor.load(Load(1, 0))
        warmup.rehearse(predictor.logits, 2, 5, 7)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_what_a_rehearsal_raises_is_kept_for_the_real_question() -> None:
    asked: list[tuple[int, ...]] = []

    def answer(tokens: Tensor) -> Tensor:
        asked.append(tuple(tokens.shape))
        assert set(tokens.flatten().tolist()) <= set(range(7))
        raise ValueError("not with made-up rows")

    warmup.rehearse(answer, 32, 5, 7)
    warmup.rehearse(answer, 1, 5, 7)
    assert asked == [(1, 5), (2, 5), (1, 5)]


@pytest.mark.usefixtures("own_linecache")
def test_source_lines_are_read_now_and_never_again(tmp_path: Path) -> None:
    source = tmp_path / "kept_module.py"
    source.write_text("first = 1\nsecond = 2\n")
    module = types.ModuleType("kept_module")
    module.__file__ = str(source)
    sys.modules["kept_module"] = module
    try:
        warmup.keep_sources(str(tmp_path))
    finally:
        del sys.modules["kept_module"]
    late = tmp_path / "late.py"
    late.write_text("third = 3\n")
    source.unlink()
    linecache.checkcache()
    linecache.checkcache(str(source))
    assert linecache.getline(str(source), 2) == "second = 2\n"
    assert linecache.getline(str(late), 1) == ""


def test_pools_start_without_touching_the_generators() -> None:
    torch.manual_seed(3)
    expected = torch.rand(())
    torch.manual_seed(3)
    warmup.start_pools()
    assert torch.equal(torch.rand(()), expected)
    warmup.settle_memory()


def test_compiling_looks_for_no_file_once_it_is_warm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CompilerBisector, "get_backend", CompilerBisector.get_backend)
    torch.compile(torch.sin, backend="eager")
    warmup.keep_backend()

    def refuse(*asked: object, **how: object) -> None:
        raise AssertionError((asked, how))

    monkeypatch.setattr(os, "makedirs", refuse)
    monkeypatch.setattr(os.path, "exists", refuse)
    torch.compile(torch.sin, backend="eager")
