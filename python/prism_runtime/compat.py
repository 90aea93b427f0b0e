"""The older interface of `ctx`, kept so that bundles written for it run unmodified.

Mixed into `Context`; `prism_challenge.evaluator.interface` exports its names. Its loops shift the
tokens themselves and compute their own loss, so claims are always made by an extra evaluation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from torch import Tensor, nn

from .errors import PrismError
from .tokenizer import Tokenizer, declared_tokenizer

if TYPE_CHECKING:
    from .config import WorkerConfig
    from .session import Session

_DEFAULT_BATCH_SIZE: Final = 8
# What the older interface says where its operator sets nothing; no layer is counted.
_MAX_LAYERS: Final = 96


@dataclass(frozen=True)
class TrainingRecipe:
    """Hyperparameters as older bundles hand them around; the harness reads none of them."""

    learning_rate: float = 3e-4
    batch_size: int = 4
    optimizer: str = "adamw"
    scheduler: str = "cosine"
    weight_decay: float = 0.01


@dataclass(frozen=True)
class PrismBatch:
    """`tokens` int64 (batch, seq_len): the loop takes inputs and targets from it."""

    tokens: Tensor
    targets: Tensor | None = None
    metadata: dict[str, Any] | None = None


class OlderInterface:
    """What the older `ctx` has beyond the present one.

    There is no resuming and one process: what tells of either has the value of a first attempt.
    """

    if TYPE_CHECKING:
        max_params: int
        sequence_length: int
        _config: WorkerConfig

        def _streaming(self) -> Session: ...

    @property
    def max_parameters(self) -> int:
        """`max_params` under its older name."""
        return self.max_params

    @property
    def max_seq_len(self) -> int:
        """`sequence_length` under another name."""
        return self.sequence_length

    @property
    def max_layers(self) -> int:
        """A number that nothing checks: 96."""
        return _MAX_LAYERS

    @property
    def attempt(self) -> int:
        """The number of this attempt: 1."""
        return 1

    @property
    def is_resume(self) -> bool:
        """Whether an earlier attempt is continued: False."""
        return False

    @property
    def resume_checkpoint_dir(self) -> str | None:
        """Where an earlier attempt left its state: None."""
        return None

    @property
    def checkpoint_dir(self) -> str | None:
        """Where to leave state for a later attempt: None."""
        return None

    @property
    def distributed_backend(self) -> str | None:
        """What several processes would talk through: None."""
        return None

    @property
    def reference_tokenizer_dir(self) -> str | None:
        """Where the files of a reference tokenizer lie: None."""
        return None

    def iter_train_batches(
        self,
        model: nn.Module,
        *,
        batch_size: int = _DEFAULT_BATCH_SIZE,
        seq_len: int | None = None,
        tokenizer: Tokenizer | str | None = None,
    ) -> Iterator[PrismBatch]:
        """Yield batches with `.tokens` of shape (batch_size, seq_len): seq_len - 1 targets a row.

        `tokenizer` may be left out; given, it must be the one that the bundle declares.
        """
        if tokenizer is not None:
            name = tokenizer.name if isinstance(tokenizer, Tokenizer) else tokenizer
            declared_tokenizer(name, self._config)
        width = self.sequence_length if seq_len is None else seq_len
        if width < 2:
            raise PrismError(
                "batch_shape", f"`seq_len` is {width}: a row needs an input and a target. Use 2."
            )
        session = self._streaming()
        session.open(model, batch_size=batch_size, seq_len=width - 1, claims="eval")
        return _batches(session)


def _batches(session: "Session") -> Iterator[PrismBatch]:
    while (batch := session.next_batch()) is not None:
        yield PrismBatch(batch.tokens)
