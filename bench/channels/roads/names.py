"""Names: the kernel remembers that a name below a shared directory does not exist, and says so faster the second time."""

import os
import time

import settings

BITS = 16
COPIES = 3
PLACE = "/usr/lib/"


def prepare(role):
    del role


def _name(step, who, position, value, copy):
    return f"{PLACE}{settings.SALT}-{step}-{who}-{position}-{value}-{copy}"


def send(step, bits):
    for who in ("auditor", "replay"):
        for position, bit in enumerate(bits):
            for copy in range(COPIES):
                os.access(_name(step, who, position, bit, copy), 0)


def _nanoseconds(name):
    start = time.perf_counter_ns()
    os.access(name, 0)
    return time.perf_counter_ns() - start


def read(step, who):
    return [
        sorted(
            _nanoseconds(_name(step, who, position, 0, copy))
            - _nanoseconds(_name(step, who, position, 1, copy))
            for copy in range(COPIES)
        )[COPIES // 2]
        for position in range(BITS)
    ]
