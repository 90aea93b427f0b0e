"""Control: nothing is sent, and the receiver reads its own clock. Shows what chance looks like."""

import time

BITS = 32


def prepare(role):
    del role


def send(step, bits):
    """Nothing."""


def read(step, who):
    return [time.perf_counter_ns() // 100 % 1000 for _ in range(BITS)]
