"""The real binary's `prism serve`, started, stopped and killed, over a store of its own.

No evaluation ever starts here: the servers find no Python runtime, so that the machine "cannot run submissions" and
everything that passes the checks stays queued. Only the server that opens the round is shown an interpreter that says
it has torch; it is gone before the first upload.
"""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from . import wire

BINARY = Path(os.environ.get("PRISM_CONTRACT_BINARY", "target/release/prism")).absolute()
TOKEN = "a-token-that-only-the-master-has"  # noqa: S105  of nobody
# What the contract allows for a start: 12 tries, 2 seconds apart.
START_SECONDS = 24
STOP_SECONDS = 30
CORPUS_BYTES = 1_500_000
UPLOADS_A_DAY = 400


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """A server over a store."""

    def __init__(
        self,
        dir_: Path,
        *,
        environment: dict[str, str | None] | None = None,
        clock: Path | None = None,
    ) -> None:
        """Say where the store lies and what differs in the environment; start nothing."""
        self.dir = dir_
        self.store = dir_ / "store"
        self.port = free_port()
        self.clock_file = dir_ / "clock"
        self.child: subprocess.Popen[bytes] | None = None
        self.command = [str(BINARY), "serve", "--dir", str(self.store)]
        self.environment = self._environment(environment or {}, clock)

    def _environment(self, extra: dict[str, str | None], clock: Path | None) -> dict[str, str]:
        nowhere = self.dir / "nowhere"
        nowhere.mkdir(parents=True, exist_ok=True)
        environment: dict[str, str | None] = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(nowhere),
            "PRISM_DATA_DIR": str(nowhere),
            "PRISM_MACHINE_LOCK": str(self.dir / "machine.lock"),
            "PRISM_SHARED_TOKEN": TOKEN,
            "PRISM_REVIEW__MODE": "off",
            "PRISM_LOG__LEVEL": "debug",
            "PRISM_SERVER__LISTEN": f"127.0.0.1:{self.port}",
            # The disk of whoever runs the tests is their affair, and all clients are this machine.
            "PRISM_SERVER__RESERVE_BYTES": "0",
            "PRISM_SERVER__UNLIMITED_CLIENTS": "127.0.0.0/8",
        }
        if clock is not None:
            self.set_clock(0)
            environment |= {"LD_PRELOAD": str(clock), "CONTRACT_CLOCK": str(self.clock_file)}
        return {name: value for name, value in (environment | extra).items() if value is not None}

    @property
    def address(self) -> wire.Address:
        """Where it listens."""
        return ("127.0.0.1", self.port)

    @property
    def url(self) -> str:
        """The same for a client."""
        return f"http://127.0.0.1:{self.port}"

    def set_clock(self, seconds: int) -> None:
        """Move its clock away from that of the machine."""
        if self.clock_file.exists():
            with self.clock_file.open("r+b") as file:
                file.write(struct.pack("=q", seconds))
        else:
            self.clock_file.write_bytes(struct.pack("=q", seconds))

    def start(self) -> "Server":
        """Start it and wait until it answers."""
        log = (self.dir / "serve.log").open("ab")
        self.child = subprocess.Popen(
            self.command,
            env=self.environment,
            cwd=self.dir,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        log.close()
        self.wait_until_open()
        return self

    def wait_until_open(self) -> None:
        """Wait as long as the master would."""
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                if wire.get(self.address, "/health").status == 200:
                    return
            except OSError:
                pass
            assert self.child is None or self.child.poll() is None, self.log()
            assert time.monotonic() < end, self.log()
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to end, which it must do by itself and with success."""
        child, self.child = self.child, None
        if child is not None:
            child.terminate()
            assert child.wait(STOP_SECONDS) == 0, self.log()

    def kill(self) -> None:
        """End it as a machine that loses its power would."""
        child, self.child = self.child, None
        if child is not None:
            child.send_signal(signal.SIGKILL)
            child.wait(STOP_SECONDS)

    def log(self) -> str:
        """What it has said."""
        path = self.dir / "serve.log"
        return path.read_text(errors="replace")[-20_000:] if path.exists() else ""

    def operator(self, *arguments: str) -> Any:
        """Run a command of the operator's against its admin socket."""
        done = prism(*arguments, "--json", "--dir", str(self.store), environment=self.environment)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr, self.log())
        return json.loads(done.stdout)


def prism(
    *arguments: str, environment: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of the binary."""
    return subprocess.run(
        [str(BINARY), *arguments],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def interpreter(path: Path) -> None:
    """Write a program that answers as an interpreter with torch would, and can do nothing else."""
    answer = {
        "implementation": "CPython",
        "version": [3, 11, 9],
        "machine": os.uname().machine,
        "libc": ["glibc", "2.36"],
        "executable": str(path),
        "prefixes": [],
        "paths": [],
        "stdlib": [],
        "packages": [],
        "libraries": [],
        "venv": True,
        "torch": "2.99.0",
        "numpy": None,
        "einops": None,
    }
    # A program, not a script of a shell: what names the interpreter must be executable by itself.
    path.write_text(f"#!{sys.executable} -I\nprint('PRISM-PROBE ' + {json.dumps(answer)!r})\n")
    path.chmod(0o755)


def template(dir_: Path) -> Path:
    """Make a store with an open round, to be copied, and return its folder."""
    dir_.mkdir(parents=True)
    interpreter(dir_ / "python")
    corpus = dir_ / "corpus"
    made = prism("data", "synth", "--bytes", str(CORPUS_BYTES), "--out", str(corpus))
    assert made.returncode == 0, made.stderr
    server = Server(dir_, environment={"PRISM_PYTHON": str(dir_ / "python")}).start()
    try:
        opened = ("--recipe", "small", "--data", str(corpus), "--publish-sources")
        uploads = ("--uploads", str(UPLOADS_A_DAY))
        server.operator("round", "open", "--name", "contract", *opened, *uploads)
    finally:
        server.stop()
    return server.store


def copied(template_store: Path, dir_: Path, **settings: Any) -> Server:
    """Return a server over a copy of the template, not started."""
    dir_.mkdir(parents=True, exist_ok=True)
    shutil.copytree(template_store, dir_ / "store", ignore=shutil.ignore_patterns("*.sock"))
    return Server(dir_, **settings)
