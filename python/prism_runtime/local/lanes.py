"""The stream of an open run: all documents as one sequence of targets, cut as the referee cuts it.

Used by `referee`. Every document ends with an end-of-text token that has no bytes. Of `N` targets
lane `b` takes those from `b R T` on, where `R = ceil(N / (B T))` is the number of steps. Column 0
of a row is the last token of the row before it, end-of-text where a lane begins. Memory holds six
bytes a token.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from .tokens import Encoder, Ids, Lengths


@dataclass(frozen=True)
class Targets:
    """All targets in order: ids int32 (N,), source bytes of each uint16 (N,)."""

    ids: Ids
    byte_lengths: Lengths
    documents: int
    text_bytes: int

    @classmethod
    def of(cls, documents: Iterable[bytes], encoder: Encoder) -> Self:
        """Tokenise the documents and put end-of-text after each."""
        ids: list[Ids] = []
        lengths: list[Lengths] = []
        count = total_bytes = 0
        end = np.array([encoder.end_of_text], dtype=np.int32)
        nothing = np.zeros(1, dtype=np.uint16)
        for document in documents:
            of_document, bytes_of_each = encoder.encode(document)
            ids += [of_document, end]
            lengths += [bytes_of_each, nothing]
            count += 1
            total_bytes += len(document)
        return cls(np.concatenate(ids), np.concatenate(lengths), count, total_bytes)


@dataclass(frozen=True)
class Rows:
    """One step: tokens int32 (B, T + 1), mask bool (B, T), source bytes of each target (B, T)."""

    tokens: Ids
    mask: npt.NDArray[np.bool_]
    byte_lengths: Lengths


class Lanes:
    """Targets on `batch_size` lanes with rows of `seq_len` targets."""

    def __init__(
        self, targets: Targets, *, batch_size: int, seq_len: int, end_of_text: int
    ) -> None:
        """Cut the targets."""
        self._targets = targets
        self._seq_len = seq_len
        self._end_of_text = end_of_text
        self.steps = -(-len(targets.ids) // (batch_size * seq_len))
        self._starts = np.arange(batch_size, dtype=np.int64) * (self.steps * seq_len)

    def rows(self, step: int) -> Rows:
        """Return the rows of a step, from 0 to `steps - 1`."""
        ids, total = self._targets.ids, len(self._targets.ids)
        first = self._starts + step * self._seq_len
        places = first[:, None] + np.arange(self._seq_len)
        mask = places < total
        places = np.minimum(places, total - 1)
        targets = np.where(mask, ids[places], self._end_of_text)
        before = np.where((step > 0) & (first <= total), ids[np.minimum(first, total) - 1], -1)
        before = np.where(before < 0, self._end_of_text, before)
        tokens = np.concatenate([before[:, None], targets], axis=1).astype(np.int32)
        lengths = np.where(mask, self._targets.byte_lengths[places], 0).astype(np.uint16)
        return Rows(tokens, mask, lengths)
