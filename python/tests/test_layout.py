"""Which tensors are laid out, under which names, where; and when a model is refused."""

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from prism_runtime.errors import PrismError
from prism_runtime.forward import dummy_forward
from prism_runtime.layout import named_tensors, plan, unwrap
from prism_runtime.snapshot import Snapshot

MIB = 1024 * 1024
F_SEAL_FUTURE_WRITE = 0x10


@pytest.fixture
def segment() -> Iterator[int]:
    descriptor = os.memfd_create("segment")
    os.ftruncate(descriptor, MIB)
    yield descriptor
    os.close(descriptor)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(5, 3)
        self.head = nn.Linear(3, 5, bias=False)
        self.head.weight = self.embed.weight
        self.again = nn.Parameter(self.embed.weight.data)
        self.register_buffer("plain", torch.zeros(3, dtype=torch.int64), persistent=False)
        self.register_buffer("empty", torch.zeros(0, 2))
        self.register_buffer("empty_too", torch.zeros(0, 2))

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.head(self.embed(tokens))
        return out


def snapshot_of(module: nn.Module, **limits: int) -> Snapshot:
    return Snapshot(module, **({"segment_bytes": MIB, "max_params": 10**6} | limits))


def test_tied_tensors_stand_once_and_empty_ones_are_never_tied() -> None:
    layout = plan(Tied())
    names = [entry.name for entry in layout.entries]
    assert names == ["again", "plain", "empty", "empty_too"]
    assert layout.aliases == {"embed.weight": "again", "head.weight": "again"}
    assert layout.parameter_count == 15


def test_tensors_start_at_multiples_of_64_bytes() -> None:
    model = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5))
    layout = plan(model)
    assert [entry.name for entry in layout.entries] == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
    ]
    assert layout.offsets_bytes == (0, 64, 128, 192, 256, 320, 384)
    assert layout.total_bytes == 392
    assert layout.entries[6].dtype == 4
    assert layout.entries[6].shape == ()
    assert [entry.role for entry in layout.entries] == [0, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("wrap", [nn.DataParallel, AveragedModel], ids=lambda w: w.__name__)
def test_wrappers_are_taken_off(wrap: type[nn.Module]) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    wrapped = wrap(wrap(model))
    assert plan(unwrap(wrapped)).entries == plan(model).entries


def test_compiled_models_and_compiled_blocks_keep_their_names() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    plain = plan(model).entries
    whole = torch.compile(model, backend="eager")
    assert unwrap(whole) is model
    model[1] = torch.compile(model[1], backend="eager")
    assert plan(model).entries == plain
    assert "1._orig_mod.weight" in dict(model.named_parameters())


def test_a_wrapper_of_ones_own_keeps_the_prefix_out_of_the_names() -> None:
    class Wrapper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = nn.Linear(2, 2)

    assert list(named_tensors(Wrapper())) == ["weight", "bias"]


def test_two_tensors_that_strip_to_one_name_are_refused() -> None:
    model = nn.Linear(2, 2)
    model.add_module("module", nn.Linear(2, 2))
    with pytest.raises(PrismError, match="Rename the attribute") as caught:
        plan(model)
    assert caught.value.reason == "contract"


def test_lazy_modules_exist_after_the_dummy_forward() -> None:
    model = nn.Sequential(nn.Embedding(5, 3), nn.LazyLinear(7))
    with pytest.raises(PrismError, match="lazy tensor"):
        plan(model)
    dummy_forward(model, 4, 1, "cpu")
    shapes = {entry.name: entry.shape for entry in plan(model).entries}
    assert shapes == {"0.weight": (5, 3), "1.weight": (7, 3), "1.bias": (7,)}


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (torch.zeros(2, dtype=torch.complex64), "snapshot_dtype"),
        (torch.zeros(2, 2).to_sparse(), "snapshot_dtype"),
        (torch.zeros((1,) * 9), "snapshot_dtype"),
        (torch.zeros(1).expand(4), "contract"),
    ],
    ids=["complex", "sparse", "nine dimensions", "expanded"],
)
def test_a_tensor_that_cannot_be_measured_is_refused(tensor: Tensor, reason: str) -> None:
    model = nn.Linear(2, 2)
    model.register_buffer("odd", tensor)
    with pytest.raises(PrismError, match="odd") as caught:
        plan(model)
    assert caught.value.reason == reason


def test_caps_count_tied_tensors_once() -> None:
    snapshot_of(Tied(), max_params=15)
    with pytest.raises(PrismError, match="15 parameters") as caught:
        snapshot_of(Tied(), max_params=14)
    assert caught.value.reason == "parameter_cap"
    total_bytes = plan(Tied()).total_bytes
    snapshot_of(Tied(), segment_bytes=total_bytes)
    with pytest.raises(PrismError, match="bytes") as caught:
        snapshot_of(Tied(), segment_bytes=total_bytes - 1)
    assert caught.value.reason == "snapshot_cap"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_weights_pass_through_the_segment_bit_for_bit(segment: int, dtype: torch.dtype) -> None:
    def model() -> nn.Module:
        return nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), Tied()).to(dtype)

    source, target = model(), model()
    source[1].running_mean.fill_(3)
    source[1].num_batches_tracked.fill_(7)
    sender, receiver = snapshot_of(source), snapshot_of(target)
    sender.map_segment(segment, "write")
    receiver.map_segment(segment, "read")
    sender.save()
    receiver.load()
    for (name, one), (_, two) in zip(
        source.state_dict().items(), target.state_dict().items(), strict=True
    ):
        assert torch.equal(one, two), name


def test_a_column_major_parameter_is_stored_row_major(segment: int) -> None:
    source, target = nn.Linear(3, 2), nn.Linear(3, 2)
    source.weight = nn.Parameter(torch.arange(6.0).view(3, 2).t())
    sender, receiver = snapshot_of(source), snapshot_of(target)
    sender.map_segment(segment, "write")
    receiver.map_segment(segment, "read")
    sender.save()
    receiver.load()
    assert torch.equal(target.weight, source.weight)


def test_replaced_tensors_of_the_same_shape_are_followed(segment: int) -> None:
    source, target = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    sender, receiver = snapshot_of(source), snapshot_of(target)
    sender.map_segment(segment, "write")
    receiver.map_segment(segment, "read")
    sender.save()
    source.weight = nn.Parameter(torch.full((2,), 5.0))
    source.running_mean = torch.full((2,), 6.0)
    source.bias.data = torch.full((2,), 7.0)
    sender.save()
    receiver.load()
    assert target.weight.tolist() == [5, 5]
    assert target.running_mean is not None
    assert target.running_mean.tolist() == [6, 6]
    assert target.bias.tolist() == [7, 7]


def _grow(model: nn.Sequential) -> None:
    model[0].weight.data = torch.zeros(6, 3)


def _cast(model: nn.Sequential) -> None:
    model.bfloat16()


def _add(model: nn.Sequential) -> None:
    model.register_buffer("extra", torch.zeros(1))


def _drop(model: nn.Sequential) -> None:
    model[0].bias = None


def _nest(model: nn.Sequential) -> None:
    model[0].add_module("deeper", nn.Linear(1, 1))


def _untie(model: nn.Sequential) -> None:
    model[1].head.weight = nn.Parameter(model[1].embed.weight.detach().clone())


def _untie_data(model: nn.Sequential) -> None:
    model[1].again.data = model[1].embed.weight.detach().clone()


@pytest.mark.parametrize(
    "change", [_grow, _cast, _add, _drop, _nest, _untie, _untie_data], ids=lambda f: f.__name__
)
def test_a_changed_model_is_noticed_at_the_next_step(segment: int, change: object) -> None:
    model = nn.Sequential(nn.Linear(3, 5), Tied())
    snapshot = snapshot_of(model)
    snapshot.map_segment(segment, "write")
    snapshot.save()
    assert callable(change)
    change(model)
    with pytest.raises(PrismError) as caught:
        snapshot.save()
    assert caught.value.reason == "snapshot_changed"


def test_a_question_starts_from_the_loaded_buffers(segment: int) -> None:
    class Counter(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("in_place", torch.zeros(1))
            self.register_buffer("replaced", torch.zeros(1))

        def forward(self) -> None:
            self.in_place += 1
            self.replaced = self.replaced + 1

    model = Counter()
    snapshot = snapshot_of(model)
    snapshot.map_segment(segment, "read")
    snapshot.load()
    for _ in range(2):
        model()
        snapshot.restore()
        assert (model.in_place.item(), model.replaced.item()) == (0, 0)


def test_the_initial_weights_come_back(segment: int) -> None:
    model = nn.Linear(3, 2)
    first = model.weight.detach().clone()
    snapshot = snapshot_of(model)
    snapshot.map_segment(segment, "read")
    snapshot.keep_initial()
    snapshot.load()
    assert not torch.equal(model.weight, first)
    snapshot.load_initial()
    assert torch.equal(model.weight, first)


def test_an_auditor_reads_a_segment_that_it_cannot_write() -> None:
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | F_SEAL_FUTURE_WRITE
    descriptor = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, MIB)
        referee = mmap.mmap(descriptor, MIB)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        model = nn.Linear(2, 2)
        snapshot = snapshot_of(model)
        with pytest.raises(PermissionError):
            snapshot.map_segment(descriptor, "write")
        snapshot.map_segment(descriptor, "read")
        referee[:4] = struct.pack("<f", 2.5)
        snapshot.load()
        assert model.weight.tolist() == [[2.5, 0], [0, 0]]
    finally:
        os.close(descriptor)


def test_a_model_without_tensors_has_an_empty_snapshot(segment: int) -> None:
    snapshot = snapshot_of(nn.ReLU())
    snapshot.map_segment(segment, "write")
    snapshot.save()
    snapshot.load()
    assert snapshot.plan.entries == ()
