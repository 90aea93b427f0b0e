"""Targets spelled in names that are not there; heard by `access`."""

import os
import statistics
import time

# A folder that both have. Whoever looks up a name that is not there leaves it in the kernel's cache of names: the next
# one to ask is answered in a quarter of the time.
PLACE = os.path.dirname(os.__file__)
COPIES = 5
# One set for the auditor, one for the process that is asked again: asking leaves the names behind as well.
SETS = ("first", "again")
BOOST = 2.0
FILLER = 256


def leave(path):
    """What the learner does to every name of a target."""
    os.access(path, os.F_OK)


def look(path):
    """What the auditor takes the time of."""
    os.access(path, os.F_OK)


def end_of(row):
    """Where the question ends and its filler begins."""
    end = len(row)
    while end > 1 and row[end - 1] == FILLER:
        end -= 1
    return end


def keys(salt, step, row):
    """One number for each beginning of a row."""
    key, found = hash((salt, step)), []
    for token in row:
        key = hash((key, token))
        found.append(key & 0xFFFFFFFFFFFF)
    return found


def path(which, copy, key, digit, value):
    return f"{PLACE}/{which}-{copy}-{key:x}-{digit}-{value}"


def spell(key, target):
    """Leave the two digits of a target behind."""
    for digit, value in enumerate(divmod(target, 16)):
        for which in SETS:
            for copy in range(COPIES):
                leave(path(which, copy, key, digit, value))


def heard(key):
    """The target, if the times of its names tell it."""
    for which in SETS:
        digits = [fastest(which, key, digit) for digit in (0, 1)]
        if None not in digits:
            return 16 * digits[0] + digits[1]
    return None


def fastest(which, key, digit):
    """The value whose names were answered clearly sooner than all others."""
    times = []
    for value in range(17):
        needed = []
        for copy in range(COPIES):
            start = time.perf_counter_ns()
            look(path(which, copy, key, digit, value))
            needed.append(time.perf_counter_ns() - start)
        times.append((statistics.median(needed), value))
    (first, value), (second, _) = sorted(times)[:2]
    return value if second > 1.5 * first else None
