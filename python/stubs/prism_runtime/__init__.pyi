"""The `ctx` of PRISM, for editors and type checkers.

Copied into a bundle's directory so that `from prism_runtime import Context` completes and checks
there; the running code comes from the validator. Shapes: B is `batch_size`, T is `seq_len`, V is
`ctx.vocab_size`.

    def train(ctx: Context) -> None:
        model = ctx.build_model().to(ctx.device)
        optimizer = torch.optim.AdamW(model.parameters())
        for batch in ctx.stream(model, batch_size=32, seq_len=256):
            loss = batch.loss(model(batch.inputs))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

class PrismError(RuntimeError):
    """A bundle used `ctx`, a stream or a batch in a way that cannot be measured.

    The message says what to do. It ends the run unless it is caught.
    """

    reason: str

@dataclass(frozen=True)
class Tokenizer:
    """Which tokenizer this run uses. Text is tokenised outside the sandbox, never here."""

    name: str
    vocab_size: int
    end_of_text: int

class Batch:
    """One step's rows, on `ctx.device`. All tensors may be written to."""

    step: int
    """Which step of the pass this is, from 0 to `len(stream) - 1`."""
    progress: float
    """The fraction of the bytes of the stream that came before this batch: from 0.0 to below 1.0
    (1.0 where the last batch is the end of a document and nothing else)."""
    tokens: Tensor
    """int64 (B, T + 1): `inputs` and `targets` in one. Column 0 was already paid for."""
    inputs: Tensor
    """int64 (B, T): what to give the model."""
    targets: Tensor
    """int64 (B, T): what it should predict."""
    mask: Tensor
    """bool (B, T): False where there is no text, which is in the last lanes alone."""

    def loss(self, logits: object) -> Tensor:
        """Return the mean cross-entropy over the real targets: a differentiable f32 scalar, nats.

        `logits` are floats of shape (B, T, V), a tuple that starts with them, or an object with
        `.logits`. With `claims="loss"` the first call is also this step's prediction: make it
        once for every batch, with the model as it was when the batch was asked for.
        """

class Stream:
    """The one pass over the data. Asking for the next batch seals the weights as they are."""

    def __len__(self) -> int:
        """Return how many batches come, exactly: `OneCycleLR(total_steps=len(stream))` fits.

        Only a spent budget, such as the time limit, ends a pass sooner.
        """

    def __iter__(self) -> Iterator[Batch]:
        """Return the stream itself."""

    def __next__(self) -> Batch:
        """Return the next batch."""

class Context:
    """What `build_model(ctx)` and `train(ctx)` receive. Read-only."""

    vocab_size: int
    """V: the number of token ids, end-of-text included."""
    max_params: int
    """The most parameters a model may have, tied ones counted once."""
    seed: int
    """The seed of this round. Everything is seeded with it already."""
    device: str
    """`cpu` or `cuda`."""
    world_size: int
    """How many processes train together: 1."""
    rank: int
    """The number of this process among them: 0."""
    local_rank: int
    """The number of this process on its machine: 0."""
    token_budget: int
    """The number of targets of the whole stream."""
    step_budget: int
    """The most steps that will be measured."""
    byte_budget: int
    """The number of text bytes of the whole stream."""
    budget_seconds: float
    """The time limit of the run; what is unread then costs 8 bits a byte."""
    data_dir: str
    """An empty directory, kept for the older interface."""
    artifacts_dir: str
    """A writable directory of limited size. Nothing in it is part of the score."""
    sequence_length: int
    """The row length that the recipe suggests, in tokens (older interface)."""

    @property
    def max_parameters(self) -> int:
        """`max_params` under its older name."""

    @property
    def max_seq_len(self) -> int:
        """`sequence_length` under another name (older interface)."""

    @property
    def max_layers(self) -> int:
        """A number that nothing checks: 96 (older interface)."""

    @property
    def attempt(self) -> int:
        """The number of this attempt: 1 (older interface)."""

    @property
    def is_resume(self) -> bool:
        """Whether an earlier attempt is continued: False (older interface)."""

    @property
    def resume_checkpoint_dir(self) -> str | None:
        """Where an earlier attempt left its state: None (older interface)."""

    @property
    def checkpoint_dir(self) -> str | None:
        """Where to leave state for a later attempt: None (older interface)."""

    @property
    def distributed_backend(self) -> str | None:
        """What several processes would talk through: None (older interface)."""

    @property
    def reference_tokenizer_dir(self) -> str | None:
        """Where the files of a reference tokenizer lie: None (older interface)."""

    def build_model(self, *args: Any, **kwargs: Any) -> nn.Module:
        """Call the bundle's `build_model(ctx)` under the forced seed.

        Every path to `build_model` does the same, so two calls return equal weights.
        """

    def stream(
        self,
        model: nn.Module,
        *,
        batch_size: int,
        seq_len: int,
        claims: Literal["loss", "eval"] = "loss",
        predictor: nn.Module | None = None,
    ) -> Stream:
        """Return the one pass over the data, as batches of (batch_size, seq_len) targets.

        With `claims="loss"` call `batch.loss(logits)` once for every batch. With
        `claims="eval"` one extra forward without gradients, in eval mode, predicts the batch
        before it is handed over: use it with dropout or batch statistics. A `predictor`, such
        as an average of past weights, predicts instead of `model`, always with `claims="eval"`.
        A second call, with the same arguments, continues the same pass.
        """

    def reference_tokenizer(self, name: str) -> Tokenizer:
        """Return the handle of the tokenizer in `prism.yaml`; `name` must be its name."""

    def log(self, **metrics: float) -> None:
        """Show numbers in the report, as your own: at most 32 a call, 10,000 calls."""

    def iter_train_batches(
        self,
        model: nn.Module,
        *,
        batch_size: int = 8,
        seq_len: int | None = None,
        tokenizer: Tokenizer | str | None = None,
    ) -> Iterator[PrismBatch]:
        """Yield batches with `.tokens` of shape (batch_size, seq_len) (older interface).

        The loop shifts the tokens itself: seq_len - 1 targets a row, always `claims="eval"`.
        """

@dataclass(frozen=True)
class PrismBatch:
    """The batch of the older interface. `tokens` is int64 (batch_size, seq_len)."""

    tokens: Tensor
    targets: Tensor | None = None
    metadata: dict[str, Any] | None = None
