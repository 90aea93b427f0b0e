"""The learner's side of the measurement: open, then snapshot, batch and claims at every step.

Driven by the miner's loop through `context`, `stream` and `batch`; `learner` closes it. A batch
is asked for only after the weights are in the segment and the last claims were accepted.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Literal

import torch
from torch import Tensor, nn

from .batch import Batch
from .channel import Channel
from .config import WorkerConfig
from .errors import PrismError, ProtocolError
from .forward import (
    check_logits,
    device_of,
    dummy_forward,
    logits_of,
    to_f32_bytes,
    token_nats,
    tokens_from,
    untraced,
)
from .layout import unwrap
from .limits import (
    BATCH_SIZE_MAX,
    LOG_CALLS_MAX,
    LOG_KEY_MAX_BYTES,
    LOG_KEYS_MAX,
    SEGMENT_FD,
    SEQ_LEN_MAX,
)
from .messages import (
    BatchData,
    Claims,
    Done,
    End,
    Layout,
    Log,
    Open,
    Opened,
    Ready,
    Resume,
)
from .snapshot import Snapshot

ClaimsMode = Literal["loss", "eval"]

_CLAIMS_NUMBERS: Final = {"loss": 0, "eval": 1}


class _State(Enum):
    """Where the pass stands between two calls of the miner."""

    WITHOUT_BATCH = auto()
    UNCLAIMED_BATCH = auto()
    ENDED = auto()


@dataclass(frozen=True)
class _Terms:
    """What the first call of `stream` fixed for the whole run."""

    batch_size: int
    seq_len: int
    claims: ClaimsMode

    def __str__(self) -> str:
        """Write them as the miner did."""
        return f'batch_size={self.batch_size}, seq_len={self.seq_len}, claims="{self.claims}"'


class Session:
    """One pass over the stream, from OPEN to DONE."""

    def __init__(self, channel: Channel, config: WorkerConfig, segment: int = SEGMENT_FD) -> None:
        """Speak over `channel`; nothing is sent before the first call of `open`."""
        self._channel = channel
        self._config = config
        self._segment = segment
        self._state = _State.WITHOUT_BATCH
        self._step = 0
        self._terms: _Terms | None = None
        self._snapshot: Snapshot | None = None
        self._predictor: nn.Module | None = None
        self._batches = 0
        self._log_calls = 0

    def open(
        self, predictor: nn.Module, *, batch_size: int, seq_len: int, claims: ClaimsMode
    ) -> int:
        """Fix the terms, or check them against those fixed before; return the batch count."""
        terms = _Terms(
            _whole("batch_size", batch_size, min(self._config.max_batch_size, BATCH_SIZE_MAX)),
            _whole("seq_len", seq_len, min(self._config.max_seq_len, SEQ_LEN_MAX)),
            claims,
        )
        _check_arguments(predictor, claims)
        if self._terms is None:
            self._open_first(predictor, terms)
        else:
            self._check_same(terms)
        self._bind(predictor, terms)
        return self._batches

    def next_batch(self) -> Batch | None:
        """Seal the weights and return the next batch, or None at the end of the pass."""
        if self._state is _State.ENDED:
            return None
        if self._state is _State.UNCLAIMED_BATCH:
            raise PrismError(
                "claims_missing",
                f"Batch {self._step} was never given to `batch.loss(model(batch.inputs))`, so "
                "there is no prediction to score. Call it once for every batch, or open the "
                'stream with `claims="eval"`.',
            )
        snapshot, predictor = self._opened()
        snapshot.save()
        self._channel.send(Ready(self._step))
        answer = self._channel.receive()
        if isinstance(answer, End):
            self._state = _State.ENDED
            return None
        if not isinstance(answer, BatchData) or answer.step != self._step:
            raise ProtocolError(f"READY {self._step} was answered with {type(answer).__name__}")
        return self._take(answer, predictor)

    def log(self, metrics: dict[str, object]) -> None:
        """Send the miner's own metrics, bounded."""
        pairs = _checked_metrics(metrics)
        self._log_calls += 1
        if self._log_calls <= LOG_CALLS_MAX:
            self._channel.send(Log(pairs))
        else:
            self._channel.note(
                f"ctx.log was called more than {LOG_CALLS_MAX} times; later calls are not shown."
            )

    def finish(self) -> None:
        """Export the final weights, if there was a stream, and say that `train` has returned."""
        if self._snapshot is not None:
            self._snapshot.save()
        self._channel.send(Done(int(self._snapshot is not None)))

    def _open_first(self, predictor: nn.Module, terms: _Terms) -> None:
        self._channel.send(Open(terms.batch_size, terms.seq_len, _CLAIMS_NUMBERS[terms.claims]))
        # While the referee asks the auditor for its layout.
        config = self._config
        model = unwrap(predictor)
        dummy_forward(model, terms.seq_len, config.end_of_text, config.device)
        snapshot = Snapshot(model, segment_bytes=config.segment_bytes, max_params=config.max_params)
        snapshot.map_segment(self._segment, "write")
        self._batches = self._channel.expect(Opened).batches
        self._channel.send(Layout(snapshot.plan.entries))
        self._terms, self._snapshot, self._predictor = terms, snapshot, predictor

    def _check_same(self, terms: _Terms) -> None:
        if terms != self._terms:
            raise PrismError(
                "batch_shape",
                f"`ctx.stream` was first called with {self._terms}, and now with {terms}. There "
                "is one pass over the data: call `ctx.stream` with the same arguments again.",
            )

    def _bind(self, predictor: nn.Module, terms: _Terms) -> None:
        """Take snapshots and evaluation claims from `predictor` from now on."""
        if self._snapshot is None or predictor is self._predictor:
            return
        model, config = unwrap(predictor), self._config
        dummy_forward(model, terms.seq_len, config.end_of_text, config.device)
        self._snapshot.bind(model)
        self._predictor = predictor

    def _opened(self) -> tuple[Snapshot, nn.Module]:
        if self._snapshot is None or self._predictor is None:
            raise PrismError("contract", "Batches come from `ctx.stream(model, ...)`. Call it.")
        return self._snapshot, self._predictor

    def _take(self, data: BatchData, predictor: nn.Module) -> Batch:
        """Make the tensors of a batch and, with `claims="eval"`, its claims."""
        config, terms = self._config, self._terms
        if terms is None or (data.batch_size, data.seq_len) != (terms.batch_size, terms.seq_len):
            raise ProtocolError(f"batch {data.step} has the shape of another stream")
        rows, columns = data.batch_size, data.seq_len
        tokens = tokens_from(memoryview(data.tokens), (rows, columns + 1), config.device)
        flags = torch.frombuffer(data.mask, dtype=torch.uint8)
        mask = flags.to(device=config.device, dtype=torch.bool).view(rows, columns)
        all_real = bytes(data.mask).count(1) == rows * columns
        self._state = _State.UNCLAIMED_BATCH
        by_loss = terms.claims == "loss"
        if not by_loss:
            self._claim(self._evaluate(predictor, tokens))
        return Batch(
            step=data.step,
            progress=data.read_bytes / config.byte_budget,
            tokens=tokens,
            mask=mask,
            all_real=all_real,
            vocab_size=config.vocab_size,
            claim=self._claim if by_loss else None,
        )

    def _evaluate(self, predictor: nn.Module, tokens: Tensor) -> Tensor:
        """Return the nats (B, T) of one forward in eval mode that leaves no trace."""
        place = device_of(predictor, self._config.device)
        inputs = tokens[:, :-1].to(place, copy=True, memory_format=torch.contiguous_format)
        targets = tokens[:, 1:].to(place)
        with untraced(predictor):
            logits = logits_of(predictor(inputs))
            check_logits(logits, targets, self._config.vocab_size)
            return token_nats(logits, targets)

    def _claim(self, nats: Tensor) -> None:
        """Send the claims of the present step and wait until they are accepted."""
        self._channel.send(Claims(self._step, nats.numel(), to_f32_bytes(nats)))
        if self._channel.expect(Resume).step != self._step:
            raise ProtocolError("RESUME is of another step")
        self._step += 1
        self._state = _State.WITHOUT_BATCH


def _whole(name: str, value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise PrismError("batch_shape", f"`{name}` is {value!r}. Use a whole number, 1 to {most}.")
    return value


def _check_arguments(predictor: object, claims: object) -> None:
    if not isinstance(predictor, nn.Module):
        raise PrismError(
            "not_a_module",
            f"`ctx.stream` was given {type(predictor).__name__} to predict with. Pass the "
            "`torch.nn.Module` that `build_model` returned.",
        )
    if claims not in _CLAIMS_NUMBERS:
        raise PrismError("contract", f'`claims` is {claims!r}. Use "loss" or "eval".')


def _checked_metrics(metrics: dict[str, object]) -> tuple[tuple[str, float], ...]:
    if len(metrics) > LOG_KEYS_MAX:
        raise PrismError(
            "contract",
            f"`ctx.log` got {len(metrics)} metrics, at most {LOG_KEYS_MAX} fit in one call. Log "
            "fewer, or split them over several calls.",
        )
    pairs = []
    for key, value in metrics.items():
        if not 1 <= len(key.encode("utf-8", "replace")) <= LOG_KEY_MAX_BYTES:
            raise PrismError(
                "contract",
                f"The metric name {key[:80]!r} is not 1 to {LOG_KEY_MAX_BYTES} bytes long. "
                "Shorten it.",
            )
        try:
            pairs.append((key, float(value)))  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError, RuntimeError) as error:
            raise PrismError(
                "contract",
                f"The metric {key!r} is {type(value).__name__}, not a number. Pass a float, or "
                "call `.item()` on a tensor with one element.",
            ) from error
    return tuple(pairs)
