"""What auditor and claimant have in common: build, take a snapshot, run one forward.

Used by `auditor` and `claimant`. It never imports `training`, never trains, and holds no token
longer than the forward that needs it. The referee seals the process once it has the layout: from
then on nothing may be done here that asks the kernel for more than memory.
"""

import os
from collections.abc import Callable

import torch
from torch import Tensor, nn

from . import warmup
from .channel import Channel
from .config import WorkerConfig
from .context import Context
from .determinism import raise_malloc_thresholds
from .errors import ProtocolError
from .failures import Phase
from .forward import dummy_forward, logits_of
from .layout import unwrap
from .limits import SEGMENT_FD
from .loader import Bundle
from .messages import Built, Layout, Load, Loaded, Shape
from .snapshot import Snapshot


class Predictor:
    """The bundle's model in eval mode, with weights from the segment or from its own init."""

    def __init__(self, module: nn.Module, snapshot: Snapshot) -> None:
        """Predict with `module`, which `snapshot` is bound to."""
        self._module = module
        self._snapshot = snapshot

    def load(self, message: Load) -> Loaded:
        """Take the weights that `message` names."""
        self._module.eval()
        if message.source == 0:
            self._snapshot.load()
        elif message.source in {2, 3}:
            self._snapshot.load_parameters()
            # Before a run alone: whether claims of the training forward would be true.
            self._module.train(message.source == 3)
        else:
            self._snapshot.load_initial()
        return Loaded(message.id)

    def logits(self, inputs: Tensor) -> Tensor:
        """Return the model's logits for `inputs`, int64 (rows, T), as it gives them."""
        logits = logits_of(self._module(inputs))
        self._snapshot.restore()
        return logits


def prepare(
    channel: Channel, config: WorkerConfig, enter: Callable[[Phase], None]
) -> tuple[Predictor, Shape]:
    """Build the model, learn the shape, make the first forwards, send the layout."""
    raise_malloc_thresholds()
    # Compiling costs more than all the questions of a run, and changes their answers by rounding.
    os.environ["TORCH_COMPILE_DISABLE"] = os.environ["TORCHDYNAMO_DISABLE"] = "1"
    bundle = Bundle(config)
    enter(Phase.IMPORT_ARCHITECTURE)
    build = bundle.import_architecture()
    enter(Phase.BUILD_MODEL)
    module = unwrap(Context(config, build).build_model()).to(config.device)
    channel.send(Built())
    shape = channel.expect(Shape)
    enter(Phase.FORWARD)
    dummy_forward(module, shape.seq_len, config.end_of_text, config.device)
    snapshot = Snapshot(module, segment_bytes=config.segment_bytes, max_params=config.max_params)
    snapshot.map_segment(SEGMENT_FD, "read")
    snapshot.keep_initial()
    predictor = Predictor(module, snapshot)
    _warm_up(predictor, shape, config)
    channel.send(Layout(snapshot.plan.entries))
    return predictor, shape


def _warm_up(predictor: Predictor, shape: Shape, config: WorkerConfig) -> None:
    """Do once what an answer needs, and leave the weights of the start behind."""

    def answer(tokens: Tensor) -> Tensor:
        return predictor.logits(tokens.to(config.device))

    warmup.start_pools()
    with torch.no_grad():
        predictor.load(Load(0, 0))
        predictor.load(Load(1, 0))
        predictor.load(Load(2, 0))
        rows = shape.batch_size if config.role == "claimant" else 1
        warmup.rehearse(answer, rows, shape.seq_len, config.vocab_size)
        predictor.load(Load(1, 0))
    warmup.keep_sources(config.bundle_dir)
    warmup.keep_backend()
    warmup.settle_memory()


def unexpected(message: object) -> ProtocolError:
    """Describe a frame that has no place after the layout."""
    return ProtocolError(f"{type(message).__name__} has no place here")
