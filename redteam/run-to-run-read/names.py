"""The stream spelled in names that are not there: a run leaves them, a later one asks for them."""

import os
import time

PLACE = os.path.dirname(os.__file__)
BITS = 9


def path(place, bit, value):
    return f"{PLACE}/left-{place}-{bit}-{value}"


def spell(place, target):
    for bit in range(BITS):
        os.access(path(place, bit, target >> bit & 1), os.F_OK)


def seconds(name):
    start = time.perf_counter()
    os.access(name, os.F_OK)
    return time.perf_counter() - start


def heard(place):
    """What an earlier run may have left for a place of the stream, and how many of its bits are clear."""
    target, clear = 0, 0
    for bit in range(BITS):
        zero, one = (seconds(path(place, bit, value)) for value in (0, 1))
        clear += max(zero, one) > 1.4 * min(zero, one)
        target |= (one < zero) << bit
    return target, clear
