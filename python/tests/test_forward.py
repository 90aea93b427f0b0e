"""The harness's own forwards leave no trace, and a claim is the dense NLL."""

import random
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from prism_runtime.batch import Batch
from prism_runtime.determinism import preserved_generators, seed_everything
from prism_runtime.errors import PrismError
from prism_runtime.forward import evaluation_mode, logits_of, to_f32_bytes, token_nats, untraced


def draws() -> list[float]:
    return [random.random(), float(np.random.rand()), float(torch.rand(()))]


def test_generators_come_back_even_after_an_exception() -> None:
    seed_everything(5)
    expected = draws()
    seed_everything(5)
    with pytest.raises(ZeroDivisionError), preserved_generators():
        assert draws()[0] / 0 > 0
    assert draws() == expected


def test_training_flags_come_back_one_by_one() -> None:
    model = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(), nn.Sequential(nn.BatchNorm1d(2)))
    model.train()
    model[0].eval()
    model[2].training = False  # with a child that still trains
    before = [part.training for part in model.modules()]
    with evaluation_mode(model):
        assert not any(part.training for part in model.modules())
    assert [part.training for part in model.modules()] == before
    assert before == [True, False, True, False, True]


def test_an_untraced_forward_is_in_eval_mode_without_gradients_or_autocast() -> None:
    seen: dict[str, object] = {}

    class Spy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.update(train=self.training, grad=torch.is_grad_enabled())
            return x @ x

    with torch.autocast("cpu", dtype=torch.bfloat16), untraced(model := Spy()):
        seen["dtype"] = model(torch.ones(2, 2)).dtype
    assert seen == {"train": False, "grad": False, "dtype": torch.float32}
    assert model.training


class Named(NamedTuple):
    other: Tensor
    logits: Tensor


def test_logits_are_found_in_what_models_return() -> None:
    logits, other = torch.zeros(1), torch.ones(1)
    assert logits_of(logits) is logits
    assert logits_of((logits, other)) is logits
    assert logits_of(Named(other, logits)) is logits


@pytest.mark.parametrize("output", [None, (), {"logits": torch.zeros(1)}, "text"])
def test_anything_else_is_refused(output: object) -> None:
    with pytest.raises(PrismError, match="Return a tensor") as caught:
        logits_of(output)
    assert caught.value.reason == "logits_shape"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_claims_are_the_dense_nll(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 5, 7).to(dtype)
    targets = torch.randint(0, 7, (3, 5))
    dense = -torch.log_softmax(logits.double(), -1).gather(2, targets[..., None])[..., 0]
    nats = token_nats(logits, targets)
    assert nats.dtype is torch.float32
    torch.testing.assert_close(nats.double(), dense, atol=1e-6, rtol=1e-6)


def test_raw_bytes_are_row_major_f32() -> None:
    values = torch.arange(6, dtype=torch.bfloat16).view(2, 3).t()
    assert to_f32_bytes(values) == values.float().numpy().tobytes()


def make_batch(claims: list[Tensor], mask: Tensor | None = None) -> Batch:
    tokens = torch.tensor([[9, 1, 2, 3], [9, 4, 5, 6]])
    real = torch.ones(2, 3, dtype=torch.bool) if mask is None else mask
    return Batch(
        step=3,
        progress=0.25,
        tokens=tokens,
        mask=real,
        all_real=bool(real.all()),
        vocab_size=10,
        claim=claims.append,
    )


def test_a_batch_is_split_into_inputs_and_targets() -> None:
    batch = make_batch([])
    assert batch.inputs.tolist() == [[9, 1, 2], [9, 4, 5]]
    assert batch.targets.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert batch.inputs.dtype is torch.int64
    assert batch.inputs.is_contiguous()
    assert repr(batch) == "Batch(step=3, batch_size=2, seq_len=3)"


def test_the_loss_is_the_mean_and_claims_go_out_once() -> None:
    claims: list[Tensor] = []
    batch = make_batch(claims)
    logits = torch.randn(2, 3, 10, requires_grad=True)
    loss = batch.loss(logits)
    expected = functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
    torch.testing.assert_close(loss, expected)
    assert torch.equal(batch.loss((logits,)), loss)
    assert len(claims) == 1
    torch.testing.assert_close(claims[0].mean(), loss)
    (ours,) = torch.autograd.grad(loss, logits)
    (theirs,) = torch.autograd.grad(expected, logits)
    torch.testing.assert_close(ours, theirs)


def test_masked_places_do_not_count() -> None:
    mask = torch.tensor([[True, True, True], [True, False, False]])
    batch = make_batch([], mask)
    logits = torch.randn(2, 3, 10)
    logits[1, 1:] = torch.nan
    logits.requires_grad_()
    loss = batch.loss(logits)
    expected = functional.cross_entropy(logits[mask], batch.targets[mask])
    torch.testing.assert_close(loss, expected)
    torch.autograd.backward([loss])
    assert logits.grad is not None
    assert torch.isfinite(logits.grad[mask]).all()


def test_editing_the_targets_does_not_change_the_claims() -> None:
    claims: list[Tensor] = []
    batch = make_batch(claims)
    logits = torch.randn(2, 3, 10)
    honest = token_nats(logits, batch.targets)
    batch.targets.zero_()
    batch.loss(logits)
    assert torch.equal(claims[0], honest)


@pytest.mark.parametrize(
    "logits",
    [
        torch.zeros(2, 3, 9),
        torch.zeros(2, 3, 11),
        torch.zeros(2, 4, 10),
        torch.zeros(6, 10),
        torch.zeros(2, 3, 10, dtype=torch.int64),
    ],
    ids=["narrow", "wide", "long", "flat", "integers"],
)
def test_logits_of_another_shape_are_refused(logits: Tensor) -> None:
    claims: list[Tensor] = []
    with pytest.raises(PrismError, match=r"\(2, 3, 10\)|:ctx\.vocab_size\]") as caught:
        make_batch(claims).loss(logits)
    assert caught.value.reason == "logits_shape"
    assert claims == []


@pytest.mark.parametrize("wrap", [lambda loss: loss, lambda loss: (loss, torch.zeros(2, 3, 10))])
def test_a_loss_in_place_of_logits_is_told(wrap: Callable[[Tensor], object]) -> None:
    claims: list[Tensor] = []
    loss = torch.tensor(2.5, dtype=torch.bfloat16)
    with pytest.raises(PrismError, match="single number") as caught:
        make_batch(claims).loss(wrap(loss))
    for part in ("torch.bfloat16 of shape ()", "(2, 3, 10)", "batch.loss(model(batch.inputs))"):
        assert part in str(caught.value)
    assert caught.value.reason == "logits_shape"
    assert claims == []
