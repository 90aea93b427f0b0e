"""The two ends of a road: what is sent and what is heard, with what the runner needs to compare them.

Used by the bundle (`architecture.py`, `training.py`) and by `alone.py`. A road is the module
`road`: `prepare(role)` before the seal, `send(step, bits)`, and `read(step, who)`, which gives one
number for each bit, however rough. What a number means is decided by the runner, from the steps
before alone.
"""

import os
import random
import time

import road

REVERSED = getattr(road, "REVERSED", False)
# An auditor answers so many questions about step 0; the one that is asked again, hardly any.
FIRST_QUESTIONS = 16


class Sender:
    """Draws fresh bits for each step and sends them."""

    def __init__(self):
        self._random = random.Random(os.urandom(16))

    def bits(self):
        """The bits of the next step."""
        return [self._random.getrandbits(1) for _ in range(road.BITS)]

    def send(self, step, bits):
        """Send them, and say so."""
        started = time.perf_counter()
        road.send(step, bits)
        seconds = time.perf_counter() - started
        print("sent", step, "".join(map(str, bits)), f"{seconds:.6f}", flush=True)


def hear(step, who):
    """Listen, and say what was heard."""
    started = time.perf_counter()
    readings = road.read(step, who)
    seconds = time.perf_counter() - started
    numbers = ",".join(f"{reading:.6g}" for reading in readings)
    print("heard", step, who, numbers, f"{seconds:.6f}", flush=True)


class Ears:
    """Listens once a step, at its first question."""

    def __init__(self):
        self._at_first = 0
        self._last = 0
        self._sender = Sender()

    def question(self, step):
        """A question has come."""
        if step == 0:
            self._at_first += 1
        elif step != self._last:
            self._last = step
            who = "auditor" if self._at_first >= FIRST_QUESTIONS else "replay"
            if REVERSED:
                self._sender.send(step, self._sender.bits())
            else:
                hear(step, who)
