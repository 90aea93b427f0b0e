"""`Batch`: the tokens of one step, and the loss that doubles as this step's claims.

Made by `session` after the snapshot is sealed; used by the miner's loop. It computes the
per-token losses once and sends them on the first call alone.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from .forward import check_logits, logits_of, token_nats


class Batch:
    """One step's rows, on `ctx.device`.

    `B` rows of `T` targets. All tensors are the caller's own and may be written to. `step` counts
    from 0 to `len(stream) - 1`; `progress` is the fraction of the bytes of the stream read before.
    """

    def __init__(
        self,
        *,
        step: int,
        progress: float,
        tokens: Tensor,
        mask: Tensor,
        all_real: bool,
        vocab_size: int,
        claim: Callable[[Tensor], None] | None,
    ) -> None:
        """Split `tokens`; `claim` takes f32 (B, T) nats and returns once they are accepted."""
        self.step = step
        self.progress = progress
        self.tokens = tokens
        self.inputs = tokens[:, :-1].contiguous()
        self.targets = tokens[:, 1:].contiguous()
        self.mask = mask
        self._all_real = all_real
        self._vocab_size = vocab_size
        self._claim = claim
        # The loss must not change when the caller edits the tensors that it was given.
        self._true_targets = self.targets if claim is None else self.targets.clone()

    def loss(self, logits: object) -> Tensor:
        """Return the mean cross-entropy over the real targets, a differentiable f32 scalar, nats.

        `logits` are what the model returned for `batch.inputs`: floats of shape (B, T, V), a
        tuple that starts with them, or an object with `.logits`. With `claims="loss"` the first
        call also sends the per-token losses as this step's claims.
        """
        values = logits_of(logits)
        check_logits(values, self._true_targets, self._vocab_size)
        nats = token_nats(values, self._true_targets)
        if self._claim is not None:
            claim, self._claim = self._claim, None
            claim(nats)
        if self._all_real:
            return nats.mean()
        real = self.mask
        return torch.where(real, nats, 0.0).sum() / real.sum().clamp(min=1)

    def __repr__(self) -> str:
        """Show step and shape, never the tokens."""
        rows, columns = self.targets.shape
        return f"Batch(step={self.step}, batch_size={rows}, seq_len={columns})"
