"""Leaves daemons behind that ignore every signal and hold every pipe."""

import os
import signal
import sys

import torch


def daemon():
    """Detach as thoroughly as a process can, then sleep for an hour."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, signal.NSIG):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except OSError:
                    pass
            command = "import time; time.sleep(3600)"
            os.execv(sys.executable, [sys.executable, "-S", "-c", command, "prism-redteam-daemon"])
        os._exit(0)
    os.wait()


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step, batch in enumerate(ctx.stream(model, batch_size=16, seq_len=60)):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step == 5:
            daemon()
