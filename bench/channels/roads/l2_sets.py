"""A processor's own cache, by set: both run on one processor, the learner fills some sets of it, the auditor times what it had there (prime and probe)."""

import random

import machine
import system

BITS = 8
SETS, WAYS, LINE = 2048, 16, 64
OWN_WAYS = 8


def prepare(role):
    global groups
    system.pin(0)
    size = SETS * LINE * (WAYS + 8)
    memory = system.huge(size)
    for at in range(0, size, system.PAGE):
        system.libc.memset(
            system.ctypes.c_void_p(memory + at), 1, system.ctypes.c_size_t(system.PAGE)
        )
    each = SETS // BITS
    groups = []
    for group in range(BITS):
        if role == "sender":
            chosen = [(way, n) for way in range(WAYS + 8) for n in range(each)]
        else:
            # Few lines of a page, far apart and in no order, or the processor fetches them ahead.
            chosen = [(way, n) for way in range(OWN_WAYS) for n in range(way, each, 16)]
            random.Random(group).shuffle(chosen)
        first = memory + group * each * LINE
        groups.append(machine.places([first + (way * SETS + n) * LINE for way, n in chosen]))


def send(step, bits):
    for _ in range(3):
        for group, bit in zip(groups, bits):
            if bit:
                machine.touch(group)


def read(step, who):
    readings = []
    for group in groups:
        ticks = sorted(machine.time_loads(group))
        readings.append(sum(ticks[: len(ticks) * 9 // 10]) / len(ticks))
    for group in groups:
        machine.touch(group)
    return readings
