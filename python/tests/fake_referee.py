"""A referee for tests: starts real workers in processes of their own and speaks the protocol.

Workers are forked from the test process, which has torch loaded already; `spawn` starts
`boot.py` in a fresh interpreter instead. It measures nothing and believes everything.
"""

import fcntl
import mmap
import os
import signal
import socket
import struct
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from prism_runtime import worker as worker_module
from prism_runtime.channel import Channel
from prism_runtime.limits import PROTOCOL_VERSION
from prism_runtime.messages import (
    BatchData,
    Claims,
    Config,
    Done,
    End,
    Failed,
    Hello,
    Layout,
    Log,
    Message,
    Note,
    Open,
    Opened,
    Ready,
    Resume,
)

M = TypeVar("M", bound=Message)

BOOT = Path(__file__).parent.parent / "boot.py"
SEGMENT_BYTES = 8 * 1024 * 1024
# Far beyond any test: it only turns a deadlock into a failure.
SOCKET_TIMEOUT_SECONDS = 120.0
END_OF_TEXT = 16
VOCAB_SIZE = 17


def settings(role: str, bundle: Path, **changes: Any) -> dict[str, Any]:
    """Make a CONFIG object for a small model."""
    scratch = bundle.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    values: dict[str, Any] = {
        "protocol": PROTOCOL_VERSION,
        "role": role,
        "bundle_dir": str(bundle),
        "architecture_file": "architecture.py",
        "training_file": "training.py",
        "artifacts_dir": str(scratch),
        "data_dir": str(scratch),
        "segment_bytes": SEGMENT_BYTES,
        "seed": 1234,
        "threads": 1,
        "device": "cpu",
        "gpu_memory_bytes": 0,
        "matmul_precision": "highest",
        "vocab_size": VOCAB_SIZE,
        "end_of_text": END_OF_TEXT,
        "tokenizer": "bytes",
        "max_seq_len": 4096,
        "max_batch_size": 1024,
        "default_seq_len": 9,
        "max_params": 150_000_000,
        "token_budget": 1_000_000,
        "step_budget": 1_000_000,
        "byte_budget": 990_000,
        "budget_seconds": 600.0,
        "world_size": 1,
        "rank": 0,
        "local_rank": 0,
    }
    if role != "learner":
        del values["training_file"]
    return values | changes


class Worker:
    """One worker process and the referee's end of its socket and segment."""

    def __init__(self, pid: int, connection: socket.socket, segment: int, log: Path) -> None:
        connection.settimeout(SOCKET_TIMEOUT_SECONDS)
        self.pid = pid
        self.socket = connection
        self.channel = Channel(connection)
        self.segment = mmap.mmap(segment, SEGMENT_BYTES)
        self.log_path = log
        self.aside: list[Log | Note] = []
        self._status: int | None = None

    def send(self, message: Message) -> None:
        self.channel.send(message)

    def receive(self) -> Message:
        """Return the next frame that is neither a log nor a note; those are put aside."""
        while True:
            message = self.channel.receive()
            if isinstance(message, Log | Note):
                self.aside.append(message)
            else:
                return message

    def expect(self, kind: type[M]) -> M:
        message = self.receive()
        assert isinstance(message, kind), f"{message}\n{self.log()}"
        return message

    def start(self, config: dict[str, Any]) -> Hello:
        self.send(Config(config))
        return self.expect(Hello)

    def log(self) -> str:
        return self.log_path.read_text()

    def close(self) -> int:
        """Close the socket and return the exit status of the process."""
        self.socket.close()
        if self._status is None:
            _, status = os.waitpid(self.pid, 0)
            self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def kill(self) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
        self.close()


class Workers:
    """Starts workers and ends them all when the test is over."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._all: list[Worker] = []

    def fork(self) -> Worker:
        """Start a worker in a fork of this process."""
        ours, theirs, segment, log = self._ends()
        with log.open("w") as output:
            pid = os.fork()
            if pid == 0:
                _become_worker(theirs.fileno(), segment, output.fileno())
        return self._keep(pid, ours, theirs, segment, log)

    def spawn(
        self, python: str = sys.executable, environment: dict[str, str] | None = None
    ) -> Worker:
        """Start a worker as the sandbox does, in a fresh interpreter."""
        ours, theirs, segment, log = self._ends()
        with log.open("w") as output:
            moves = [(os.POSIX_SPAWN_DUP2, output.fileno(), target) for target in (1, 2)]
            moves += [(os.POSIX_SPAWN_DUP2, theirs.fileno(), 3), (os.POSIX_SPAWN_DUP2, segment, 4)]
            pid = os.posix_spawn(
                python,
                [python, "-I", "-B", str(BOOT)],
                dict(os.environ) if environment is None else environment,
                file_actions=moves,
            )
        return self._keep(pid, ours, theirs, segment, log)

    def end(self) -> None:
        for worker in self._all:
            worker.kill()

    def _ends(self) -> tuple[socket.socket, socket.socket, int, Path]:
        ours, theirs = socket.socketpair()
        # Out of the way of descriptors 3 and 4, which `dup2` will overwrite.
        high = fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD_CLOEXEC, 64)
        theirs.close()
        segment = os.memfd_create("snapshot")
        os.ftruncate(segment, SEGMENT_BYTES)
        high_segment = fcntl.fcntl(segment, fcntl.F_DUPFD_CLOEXEC, 64)
        os.close(segment)
        log = self._directory / f"worker-{len(self._all)}.log"
        return ours, socket.socket(fileno=high), high_segment, log

    def _keep(
        self, pid: int, ours: socket.socket, theirs: socket.socket, segment: int, log: Path
    ) -> Worker:
        theirs.close()
        worker = Worker(pid, ours, segment, log)
        os.close(segment)
        self._all.append(worker)
        return worker


def _become_worker(connection: int, segment: int, output: int) -> None:
    """In the forked child: arrange the descriptors as the sandbox does and serve."""
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(connection, 3)
        os.dup2(segment, 4)
        os.closerange(5, 256)
        warnings.resetwarnings()
        warnings.simplefilter("default")
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        worker_module.run()
    finally:
        os._exit(99)


@dataclass
class Pass:
    """What a learner said during one run."""

    opened: Open | None = None
    layout: Layout | None = None
    claims: list[list[float]] = field(default_factory=list)
    snapshots: list[bytes] = field(default_factory=list)
    ending: Done | Failed | None = None


def pack_i32(values: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def unpack_f32(raw: bytes | bytearray | memoryview) -> list[float]:
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def make_batch(
    step: int,
    rows: list[list[int]],
    mask: list[list[int]] | None = None,
    *,
    read_bytes: int = 0,
) -> BatchData:
    """Make BATCH from rows of T + 1 tokens."""
    height, width = len(rows), len(rows[0]) - 1
    flags = bytes(flag for row in mask or [[1] * width] * height for flag in row)
    tokens = pack_i32([token for row in rows for token in row])
    return BatchData(step, read_bytes, height, width, tokens, flags)


def drive(learner: Worker, batches: Sequence[BatchData]) -> Pass:
    """Play the referee for a learner that was started, until DONE or FAILED."""
    record = Pass()
    step = 0
    while record.ending is None:
        message = learner.receive()
        if isinstance(message, Open):
            record.opened = message
            learner.send(Opened(len(batches)))
            answer = learner.receive()
            if isinstance(answer, Failed):
                record.ending = answer
            else:
                assert isinstance(answer, Layout), answer
                record.layout = answer
        elif isinstance(message, Ready):
            record.snapshots.append(bytes(learner.segment))
            assert message.step == step
            learner.send(batches[step] if step < len(batches) else End(0))
        elif isinstance(message, Claims):
            assert message.step == step
            record.claims.append(unpack_f32(message.nats))
            learner.send(Resume(step))
            step += 1
        else:
            assert isinstance(message, Done | Failed), f"{message}\n{learner.log()}"
            record.ending = message
    return record
