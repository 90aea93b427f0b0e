"""`Stream`: what `ctx.stream` returns, an iterator over the one pass through the data.

All state is in `session`, so that every `Stream` of a run continues the same pass.
"""

from collections.abc import Callable, Iterator

from .batch import Batch


class Stream:
    """An iterator of `Batch`; `len` is the number of batches of the whole pass, exactly."""

    def __init__(self, batches: int, next_batch: Callable[[], Batch | None]) -> None:
        """Draw from `next_batch` until it returns None."""
        self._batches = batches
        self._next_batch = next_batch

    def __len__(self) -> int:
        """Return how many batches come, for schedules. Only a spent budget ends a pass sooner."""
        return self._batches

    def __iter__(self) -> Iterator[Batch]:
        """Return the stream itself: there is one pass."""
        return self

    def __next__(self) -> Batch:
        """Seal the weights, then return the next batch."""
        batch = self._next_batch()
        if batch is None:
            raise StopIteration
        return batch
