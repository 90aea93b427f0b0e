"""Time: the learner sends its claims when the clock, which is the same for both, stands where the bits say. One symbol of several bits."""

import time

BITS = 6
SYMBOL_BITS = 6
# One level of the symbol.
UNIT = 0.016
PERIOD = UNIT * (1 << SYMBOL_BITS)
CIRCLE = PERIOD / UNIT


def prepare(role):
    del role


def send(step, bits):
    level = int("".join(map(str, bits)), 2)
    now = time.monotonic()
    at = now // PERIOD * PERIOD + level * UNIT
    while at < now:
        at += PERIOD
    time.sleep(max(0, at - now - 0.001))
    while time.monotonic() < at:
        pass


def read(step, who):
    return [time.monotonic() % PERIOD / UNIT]
