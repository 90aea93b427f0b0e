"""Moments that both ends know without a word: slots of a window that begins at a round time of the common clock.

Used by the roads on which the kernel does something for the frozen learner at a time of its choice. The receiver looks at
the time stamp counter and sees the processor being taken away from it.
"""

import ctypes
import math
import time

import machine

# A window begins at the next multiple of this, if that leaves time for a freeze, a sweep and a load.
GRID_NS = 500_000_000
LEAD_NS = 250_000_000
SLOT_NS = 200_000
# Shorter pauses are not looked at; in longer ones somebody else had the processor.
LEAST_NS, AWAY_NS = 500, 70_000
_ROOM = 20_000
_out = (ctypes.c_uint64 * (2 * _ROOM))()


def prepare(bits, copies):
    """Measure the time stamp counter."""
    global _bits, _copies, _ticks_per_ns
    _bits, _copies = bits, copies
    start, counted = time.monotonic_ns(), machine.now()
    time.sleep(0.2)
    _ticks_per_ns = (machine.now() - counted) / (time.monotonic_ns() - start)
    ctypes.memset(_out, 0, ctypes.sizeof(_out))


def next_one():
    """When the next window begins; waits where that is too soon."""
    left = GRID_NS - time.monotonic_ns() % GRID_NS
    if left < LEAD_NS:
        time.sleep(left / 1e9)
    return (time.monotonic_ns() // GRID_NS + 1) * GRID_NS


def slot(window, position, copy):
    """When the slot of a bit begins."""
    return window + (copy * _bits + position) * SLOT_NS


def pauses(end_ns):
    """Every pause of this processor until then: when it began, and its length, in ns."""
    clock, ticks = time.monotonic_ns(), machine.now()
    end = ticks + int((end_ns - clock) * _ticks_per_ns)
    found = machine.pauses(end, int(LEAST_NS * _ticks_per_ns), _out, _ROOM)
    return [
        (clock + (_out[2 * n] - ticks) / _ticks_per_ns, _out[2 * n + 1] / _ticks_per_ns)
        for n in range(found)
    ]


def read():
    """For each bit, how long the processor was away in its slots: the middle of the copies.

    NaN where the receiver itself was away, which it knows: that bit is not heard, and not wrong.
    """
    window = (time.monotonic_ns() // GRID_NS + 1) * GRID_NS
    while time.monotonic_ns() < window - 1_000_000:
        pass
    away = [(window - GRID_NS, time.monotonic_ns())]
    stolen = {}
    for at, length in pauses(slot(window, 0, _copies)):
        # On a virtual machine the pause begins a little before the timer rings.
        number, offset = divmod(at - window + SLOT_NS / 2, SLOT_NS)
        if length > AWAY_NS:
            away.append((at, at + length))
        elif SLOT_NS / 4 < offset < SLOT_NS * 3 / 4:
            stolen[int(number)] = stolen.get(int(number), 0) + length
    return [_middle(window, position, away, stolen) for position in range(_bits)]


def _middle(window, position, away, stolen):
    """The middle of what the copies of a bit say that were listened to."""
    heard = []
    for copy in range(_copies):
        begin, end = (slot(window, position, copy) + part * SLOT_NS / 4 for part in (-1, 1))
        if not any(begin < until and since < end for since, until in away):
            heard.append(stolen.get(copy * _bits + position, 0.0))
    return sorted(heard)[len(heard) // 2] if heard else math.nan
