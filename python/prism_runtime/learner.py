"""The learner: import the bundle, run `train(ctx)`, export the final weights.

Called by `worker`, and by `local` for a run in the open. Returns after DONE; whatever miner code
raises goes through.
"""

from collections.abc import Callable

from .channel import Channel
from .config import WorkerConfig
from .context import Context
from .failures import Phase
from .loader import Bundle
from .session import Session


def run_learner(
    channel: Channel,
    config: WorkerConfig,
    enter: Callable[[Phase], None],
    session: Session | None = None,
) -> None:
    """Run the training to its end, or only import it. `enter` is told which phase begins."""
    bundle = Bundle(config)
    enter(Phase.IMPORT_ARCHITECTURE)
    build = bundle.import_architecture()
    enter(Phase.IMPORT_TRAINING)
    train = bundle.import_training()
    session = Session(channel, config) if session is None else session
    if not config.only_import:
        enter(Phase.TRAIN)
        train(Context(config, build, session))
    session.finish()
