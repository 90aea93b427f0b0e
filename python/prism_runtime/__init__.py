"""The PRISM runtime: what runs inside the sandboxes, and the `ctx` that a bundle sees.

A bundle may import `Context`, `Batch`, `Stream` and `Tokenizer` from here for its annotations.
Nothing in this package is trusted by the referee.
"""

from .batch import Batch
from .compat import PrismBatch
from .context import Context
from .errors import PrismError
from .stream import Stream
from .tokenizer import Tokenizer

__all__ = ["Context", "Stream", "Batch", "Tokenizer", "PrismError", "PrismBatch"]
