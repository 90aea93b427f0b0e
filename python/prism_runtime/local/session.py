"""The learner's session with shapes that its author may choose from outside.

Made by `run`. It is the runtime's own `Session`; only the arguments of `ctx.stream` may be others.
"""

from collections.abc import Callable

from torch import nn

from ..channel import Channel
from ..config import WorkerConfig
from ..session import ClaimsMode, Session


class OpenSession(Session):
    """A session whose batches may be of another shape than the training script asks for."""

    def __init__(
        self,
        channel: Channel,
        config: WorkerConfig,
        segment: int,
        show: Callable[[str], None],
        *,
        batch_size: int | None,
        seq_len: int | None,
    ) -> None:
        """Use `batch_size` and `seq_len` where they are given."""
        super().__init__(channel, config, segment)
        self._show = show
        self._forced_batch_size = batch_size
        self._forced_seq_len = seq_len

    def open(
        self, predictor: nn.Module, *, batch_size: int, seq_len: int, claims: ClaimsMode
    ) -> int:
        """Open the stream, with the shape that was chosen from outside."""
        rows = self._forced_batch_size or batch_size
        columns = self._forced_seq_len or seq_len
        if (rows, columns) != (batch_size, seq_len):
            self._show(
                f"  note  the script asks for batches of {batch_size} x {seq_len}; the options "
                f"make them {rows} x {columns}"
            )
        return super().open(predictor, batch_size=rows, seq_len=columns, claims=claims)
