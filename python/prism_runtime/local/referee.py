"""The other end of a learner's channel, in its own process: hands out text, adds up claims.

Made by `run`, called by `Session` as if it were a socket. It audits nothing and believes
everything, so what it says is only as true as the bundle. Frames are encoded and decoded as on the
wire, so that their limits hold here too.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..channel import Channel
from ..config import WorkerConfig
from ..errors import ProtocolError
from ..messages import (
    BatchData,
    Claims,
    Done,
    End,
    Layout,
    Log,
    Message,
    Note,
    Open,
    Opened,
    Ready,
    Resume,
)
from .lanes import Lanes, Rows, Targets
from .recipe import Recipe

_BITS_PER_NAT: Final = 1.0 / math.log(2.0)
# What a byte costs that nobody predicts.
_RAW_BITS_PER_BYTE: Final = 8.0
# How many lines a whole pass prints where nothing else is asked for.
_LINES: Final = 20

_END_OF_DATA: Final = 0
_END_OF_BUDGET: Final = 1


def smoothed_nats(
    claims: npt.NDArray[np.float32], epsilon: float, vocab_size: int
) -> npt.NDArray[np.float64]:
    """Price claims as the referee does: `-ln((1 - e) exp(-c) + e / V)`, NaN as dear as can be."""
    nats = np.where(np.isnan(claims), np.inf, claims).astype(np.float64)
    share = epsilon / vocab_size
    smoothed = -np.log((1.0 - epsilon) * np.exp(-np.maximum(nats, 0.0)) + share)
    return np.clip(smoothed, 0.0, -math.log(share))


@dataclass(frozen=True)
class Result:
    """What a pass has cost so far, by its own claims."""

    steps: int
    nats: float
    read_bytes: int
    stream_bytes: int

    @property
    def read_bpb(self) -> float:
        """Bits per byte of what was read; NaN before anything was."""
        return self.nats * _BITS_PER_NAT / self.read_bytes if self.read_bytes else math.nan

    @property
    def bpb(self) -> float:
        """Bits per byte of the whole stream, where unread bytes cost 8 bits each."""
        unread_bytes = self.stream_bytes - self.read_bytes
        bits = self.nats * _BITS_PER_NAT + _RAW_BITS_PER_BYTE * unread_bytes
        return bits / self.stream_bytes


class OpenReferee(Channel):
    """A channel without a socket: what is sent is answered at once, in the caller's thread."""

    def __init__(
        self,
        config: WorkerConfig,
        recipe: Recipe,
        targets: Targets,
        show: Callable[[str], None],
        *,
        every: int | None,
    ) -> None:
        """Hand out `targets` to the learner of `config`; `show` prints one line."""
        # No `super().__init__`: there is no socket to take over.
        self._noted = set()
        # A metric may be logged from another thread, and a note come out of an answer.
        self._answering = threading.RLock()
        self._config = config
        self._recipe = recipe
        self._targets = targets
        self._show = show
        self._every = every
        self._answers: deque[Message] = deque()
        self._lanes: Lanes | None = None
        self._rows: Rows | None = None
        self._step = 0
        self._nats = 0.0
        self._read_bytes = 0
        self._released_targets = 0
        self._shape = (0, 0)
        self._started = time.monotonic()

    @property
    def result(self) -> Result:
        """What the pass has cost so far."""
        return Result(self._step, self._nats, self._read_bytes, self._targets.text_bytes)

    def send(self, message: Message) -> None:
        """Answer one frame."""
        checked = type(message).decode(message.encode())
        with self._answering:
            self._take(checked)

    def receive(self) -> Message:
        """Return the answer to what was sent last."""
        if not self._answers:
            raise ProtocolError("the learner waits for an answer to a frame that has none")
        return self._answers.popleft()

    def _take(self, message: Message) -> None:
        match message:
            case Open():
                self._open(message)
            case Ready():
                self._answers.append(self._next(message))
            case Claims():
                self._claims(message)
            case Log():
                pairs = " ".join(f"{key}={value:.6g}" for key, value in message.metrics)
                self._show(f"  log   {pairs}")
            case Note():
                self._show(f"  note  {message.text}")
            case Layout() | Done():
                pass
            case _:
                raise ProtocolError(f"{type(message).__name__} has no place here")

    def _open(self, message: Open) -> None:
        self._shape = (message.batch_size, message.seq_len)
        self._warn_about_shape(message.batch_size * message.seq_len)
        self._lanes = Lanes(
            self._targets,
            batch_size=message.batch_size,
            seq_len=message.seq_len,
            end_of_text=self._config.end_of_text,
        )
        if self._every is None:
            steps = min(self._lanes.steps, self._recipe.max_steps or self._lanes.steps)
            self._every = max(1, steps // _LINES)
        self._show(
            f"stream: {self._lanes.steps} batches of {message.batch_size} x {message.seq_len} "
            "targets"
        )
        self._answers.append(Opened(self._lanes.steps))

    def _warn_about_shape(self, per_step: int) -> None:
        """Say what `prism eval` would refuse; here it may well be wanted."""
        least, most = self._recipe.step_targets(len(self._targets.ids))
        name = self._recipe.name
        if least > most:
            self._show(
                f"  note  the text is too short for the recipe `{name}`; `prism eval` wants more"
            )
        elif not least <= per_step <= most:
            self._show(
                f"  note  a step has {per_step} targets; on this much text the recipe `{name}` "
                f"wants {least} to {most}, and `prism eval` would end the run as `batch_shape`"
            )

    def _next(self, message: Ready) -> Message:
        if self._lanes is None or message.step != self._step:
            raise ProtocolError(f"READY {message.step} in step {self._step}")
        recipe = self._recipe
        if recipe.max_steps is not None and self._step >= recipe.max_steps:
            return End(_END_OF_BUDGET)
        if recipe.max_tokens is not None and self._released_targets >= recipe.max_tokens:
            return End(_END_OF_BUDGET)
        if self._step == self._lanes.steps:
            return End(_END_OF_DATA)
        rows = self._rows = self._lanes.rows(self._step)
        self._released_targets += int(rows.mask.sum())
        return BatchData(
            self._step,
            self._read_bytes,
            *self._shape,
            bytearray(rows.tokens.astype("<i4").tobytes()),
            bytearray(rows.mask.astype(np.uint8).tobytes()),
        )

    def _claims(self, message: Claims) -> None:
        rows, self._rows = self._rows, None
        if rows is None or message.step != self._step or message.count != rows.mask.size:
            raise ProtocolError(f"CLAIMS {message.step} in step {self._step}")
        claims = np.frombuffer(message.nats, dtype="<f4").reshape(rows.mask.shape)[rows.mask]
        prices = smoothed_nats(claims, self._recipe.smoothing, self._config.vocab_size)
        nats = math.fsum(prices)
        step_bytes = int(rows.byte_lengths.sum(dtype=np.int64))
        self._nats += nats
        self._read_bytes += step_bytes
        self._step += 1
        if wrong := int(np.isnan(claims).sum()):
            self._show(
                f"  note  {wrong} of the {claims.size} predictions of batch {message.step} are "
                f"NaN; each costs {prices.max():.1f} nats"
            )
        self._show_progress(nats, step_bytes)
        self._answers.append(Resume(message.step))

    def _show_progress(self, nats: float, step_bytes: int) -> None:
        steps = 0 if self._lanes is None else self._lanes.steps
        if self._step not in {1, steps} and self._step % (self._every or 1):
            return
        result = self.result
        now = nats * _BITS_PER_NAT / step_bytes if step_bytes else math.nan
        self._show(
            f"batch {self._step:>6} of {steps}: {result.read_bpb:.4f} bits per byte so far, "
            f"{now:.4f} in this batch, {100 * result.read_bytes / result.stream_bytes:.1f} % read, "
            f"{time.monotonic() - self._started:.1f} s"
        )
