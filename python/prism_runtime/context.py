"""`Context`: the `ctx` that `build_model(ctx)` and `train(ctx)` receive.

Made by the roles; the only object of the harness that a miner needs to know. Read-only. Only
the learner's context can stream and log: an auditor builds and predicts, nothing else.
"""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn, Self

from torch import nn

from .compat import OlderInterface
from .config import WorkerConfig
from .errors import PrismError
from .loader import Build
from .session import ClaimsMode, Session
from .stream import Stream
from .tokenizer import Tokenizer, declared_tokenizer


class Context(OlderInterface):
    """What a run is about, and the way to its data.

    Sizes are in tokens, bytes or seconds, as their names say. `budget_*` and `*_budget` are
    public totals of the whole stream, nothing about what is to come.
    """

    def __init__(
        self, config: WorkerConfig, build: Build | None = None, session: Session | None = None
    ) -> None:
        """Describe `config`; without a `session` there is nothing to stream."""
        values: dict[str, object] = {
            "vocab_size": config.vocab_size,
            "max_params": config.max_params,
            "seed": config.seed,
            "device": config.device,
            "world_size": config.world_size,
            "rank": config.rank,
            "local_rank": config.local_rank,
            "token_budget": config.token_budget,
            "step_budget": config.step_budget,
            "byte_budget": config.byte_budget,
            "budget_seconds": config.budget_seconds,
            "data_dir": config.data_dir,
            "artifacts_dir": config.artifacts_dir,
            "sequence_length": config.default_seq_len,
            "_config": config,
            "_build": build,
            "_session": session,
        }
        self.__dict__.update(values)

    vocab_size: int
    max_params: int
    seed: int
    device: str
    world_size: int
    rank: int
    local_rank: int
    token_budget: int
    step_budget: int
    byte_budget: int
    budget_seconds: float
    data_dir: str
    artifacts_dir: str
    sequence_length: int
    _config: WorkerConfig
    _build: Build | None
    _session: Session | None

    def build_model(self, *args: Any, **kwargs: Any) -> nn.Module:
        """Call the bundle's `build_model(ctx)` under the forced seed.

        Every path to `build_model` does the same, so two calls return equal weights.
        """
        if self._build is None:
            raise PrismError(
                "contract",
                "`ctx.build_model()` was called while `architecture.py` is still being imported. "
                "Call it inside `train(ctx)`.",
            )
        return self._build(self, *args, **kwargs)

    def stream(
        self,
        model: nn.Module,
        *,
        batch_size: int,
        seq_len: int,
        claims: ClaimsMode = "loss",
        predictor: nn.Module | None = None,
    ) -> Stream:
        """Return the one pass over the data, as batches of (batch_size, seq_len) targets.

        With `claims="loss"` call `batch.loss(logits)` once for every batch. With
        `claims="eval"` one extra forward without gradients, in eval mode, predicts the batch
        before it is handed over: use it with dropout or batch statistics. A `predictor`, such
        as an average of past weights, predicts instead of `model`, always with `claims="eval"`.
        A second call, with the same arguments, continues the same pass.
        """
        session = self._streaming()
        if predictor is not None:
            claims = "eval"
        batches = session.open(
            model if predictor is None else predictor,
            batch_size=batch_size,
            seq_len=seq_len,
            claims=claims,
        )
        return Stream(batches, session.next_batch)

    def reference_tokenizer(self, name: str) -> Tokenizer:
        """Return the handle of the tokenizer that the bundle declares; `name` must be its name.

        Text is tokenised by the referee: the handle has `name`, `vocab_size`, `end_of_text`.
        """
        return declared_tokenizer(name, self._config)

    def log(self, **metrics: float) -> None:
        """Show numbers in the report, as the miner's own: at most 32 a call, 10,000 calls."""
        self._streaming().log(dict(metrics))

    def _streaming(self) -> Session:
        if self._session is None:
            raise PrismError(
                "contract",
                "`ctx.stream` and `ctx.log` exist in `train(ctx)` alone. Remove the call from "
                "`build_model` and from `forward`.",
            )
        return self._session

    if not TYPE_CHECKING:  # or a type checker would take every name for one that is there

        def __getattr__(self, name: str) -> NoReturn:
            """Say of a name that is not there which one may be meant."""
            public = sorted(n for n in dir(self) if not n.startswith("_"))
            near = [n for n in public if len(name) > 2 and n.startswith(name)]
            near = near or get_close_matches(name, public, n=1)
            meant = f"Did you mean `ctx.{near[0]}`?" if near else f"It has {', '.join(public)}."
            raise AttributeError(f"`ctx` has no attribute `{name}`. {meant}")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: the context describes the run and cannot change it."""
        raise AttributeError(f"ctx.{name} is read-only. Keep your own state in your own variables.")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse, as `__setattr__` does."""
        raise AttributeError(f"ctx.{name} is read-only.")

    def __copy__(self) -> Self:
        """Return the context itself: a model that holds it may be copied."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Return the context itself: a model that holds it may be deep-copied."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled."""
        raise PrismError(
            "contract",
            "`ctx` cannot be saved. Save `model.state_dict()`, or keep only the numbers of `ctx` "
            "that the model needs.",
        )

    def __repr__(self) -> str:
        """Show the public numbers."""
        shown = (f"{k}={v!r}" for k, v in sorted(vars(self).items()) if not k.startswith("_"))
        return f"Context({', '.join(shown)})"
