"""The PRISM runtime: what runs inside the sandboxes, and the `ctx` that a bundle sees.

A bundle may import `Context`, `Batch`, `Stream` and `Tokenizer` from here for its annotations.
Nothing in this package is trusted by the referee.
"""

try:
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    # Installed beside a miner's own tools, the package leaves the choice of a build to the miner.
    raise ModuleNotFoundError(
        "prism_runtime needs PyTorch 2.9 or later, which this Python does not have. Install the "
        "build for your machine: `pip install torch`.",
        name="torch",
    ) from None

from .batch import Batch
from .compat import PrismBatch
from .context import Context
from .errors import PrismError
from .stream import Stream
from .tokenizer import Tokenizer

__all__ = ["Context", "Stream", "Batch", "Tokenizer", "PrismError", "PrismBatch"]
