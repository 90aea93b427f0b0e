"""What stops an open run before any of the miner's code has run.

Raised by the modules of this package, printed by `run`. What the scripts do wrong is raised by the
runtime itself and has its traceback.
"""


class LocalError(Exception):
    """A file or an option cannot be used. The message says what and what to do."""
