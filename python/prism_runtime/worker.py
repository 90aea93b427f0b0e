"""The life of a worker: say hello, become deterministic, play the role, report how it ended.

Called by `boot.py` once torch is imported. It is the only place that turns an exception into a
FAILED frame and the only one that ends the process.
"""

import faulthandler
import os
import signal
import socket
import sys
import traceback
from typing import Final

import torch

from .auditor import run_auditor
from .channel import Channel
from .claimant import run_claimant
from .config import WorkerConfig
from .determinism import configure
from .errors import PeerGoneError, ProtocolError
from .failures import Phase, describe
from .learner import run_learner
from .limits import SEGMENT_FD, SOCKET_FD
from .messages import ROLE_NUMBERS, Config, Hello

_ROLES: Final = {"learner": run_learner, "auditor": run_auditor, "claimant": run_claimant}

_EXIT_OK: Final = 0
_EXIT_FAILED: Final = 1
_EXIT_DEFECT: Final = 70


def run() -> None:
    """Serve the referee on the inherited descriptors until it is done with this process."""
    code = _EXIT_DEFECT
    try:
        _prepare_process()
        code = _serve(Channel(socket.socket(fileno=SOCKET_FD)))
    except PeerGoneError:
        code = _EXIT_OK
    except BaseException:
        traceback.print_exc()
    finally:
        _flush()
        # Threads and exit handlers of the bundle must not keep the process alive.
        os._exit(code)


def _serve(channel: Channel) -> int:
    config = WorkerConfig.from_json(channel.expect(Config).settings)
    channel.send(Hello(ROLE_NUMBERS[config.role], str(torch.__version__)))
    configure(config, channel.note if config.role == "learner" else _ignore)
    phase = Phase.IMPORT_ARCHITECTURE

    def enter(following: Phase) -> None:
        nonlocal phase
        phase = following

    try:
        _ROLES[config.role](channel, config, enter)
    except (PeerGoneError, ProtocolError):
        raise
    except BaseException as error:
        failed = describe(error, phase, config.bundle_dir)
        sys.stderr.write(failed.traceback or f"{failed.exception}: {failed.message}\n")
        channel.send(failed)
        return _EXIT_FAILED
    _flush()
    channel.wait_for_end()
    return _EXIT_OK


def _prepare_process() -> None:
    """Keep the descriptors from child processes, and the log readable as it is written."""
    os.set_inheritable(SOCKET_FD, False)
    os.set_inheritable(SEGMENT_FD, False)
    # A crash in native code then leaves at least the Python stack in the log.
    faulthandler.enable()
    # Ctrl-C belongs to the referee, which ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue


def _ignore(text: str) -> None:
    """Drop a note: only the learner's reach the report."""
    del text
