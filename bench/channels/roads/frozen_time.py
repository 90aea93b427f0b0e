"""The other way: the auditor answers slowly or at once, and the learner tells from its clock how long it was frozen."""

import time

BITS = 4
SYMBOL_BITS = 4
UNIT = 0.02
REVERSED = True


def prepare(role):
    del role


def send(step, bits):
    end = time.perf_counter() + int("".join(map(str, bits)), 2) * UNIT
    while time.perf_counter() < end:
        pass


def listening(loss, logits):
    """What `loss` gives, with the time that it took kept for `read`."""
    global seconds
    start = time.perf_counter()
    value = loss(logits)
    seconds = time.perf_counter() - start
    return value


def read(step, who):
    return [seconds / UNIT]
