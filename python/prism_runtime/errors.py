"""The one exception a miner meets when a bundle breaks the contract of `ctx`.

Raised by every module that a miner's call can reach; turned into a FAILED frame by
`failures`. A message must always say what happened and what to do next.
"""

from typing import Literal

Reason = Literal[
    "exception",
    "out_of_memory",
    "artifact_quota",
    "claims_missing",
    "logits_shape",
    "batch_shape",
    "tokenizer_mismatch",
    "not_a_module",
    "snapshot_changed",
    "parameter_cap",
    "snapshot_cap",
    "snapshot_dtype",
    "contract",
]


class PrismError(RuntimeError):
    """A bundle used `ctx`, a stream or a batch in a way that cannot be measured.

    `reason` is the stable code that the run is reported under.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        """Keep the stable `reason` beside the message for the miner."""
        super().__init__(message)
        self.reason: Reason = reason


# What a traceback shows is the name a bundle can import.
PrismError.__module__ = "prism_runtime"


class ProtocolError(Exception):
    """A frame that does not follow the protocol. The referee is trusted: this is a defect."""


class PeerGoneError(Exception):
    """The referee has closed the socket: there is nobody left to work for."""
