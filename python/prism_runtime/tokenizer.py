"""The handle that `ctx.reference_tokenizer` returns.

Text is tokenised by the referee alone, so a handle holds numbers and no text.
"""

from dataclasses import dataclass

from .config import WorkerConfig
from .errors import PrismError


@dataclass(frozen=True)
class Tokenizer:
    """Which tokenizer the referee uses for this run."""

    name: str
    vocab_size: int
    end_of_text: int


def declared_tokenizer(name: object, config: WorkerConfig) -> Tokenizer:
    """Return the handle for `name`, which must be the tokenizer that the bundle declares."""
    if name != config.tokenizer:
        raise PrismError(
            "tokenizer_mismatch",
            f"The code asks for the tokenizer {name!r}, but this run uses {config.tokenizer!r}. "
            f"Put `tokenizer: {name}` into `prism.yaml`, or ask for {config.tokenizer!r}.",
        )
    return Tokenizer(config.tokenizer, config.vocab_size, config.end_of_text)
