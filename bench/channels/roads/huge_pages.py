"""Large pages: the learner takes 1 GB of them or none, and the auditor times the first touch of one of its own."""

import ctypes
import time

import system

BITS = 1
HELD_BYTES = 1 << 30


def prepare(role):
    global held
    held = None


def send(step, bits):
    global held
    if held is not None:
        system.unmap(held, HELD_BYTES)
        held = None
    if bits[0]:
        held = system.huge(HELD_BYTES)
        for at in range(0, HELD_BYTES, system.PAGE << 4):
            ctypes.c_ubyte.from_address(held + at).value = 1


def read(step, who):
    times = []
    for _ in range(5):
        memory = system.huge(system.HUGE)
        start = time.perf_counter_ns()
        ctypes.c_ubyte.from_address(memory).value = 1
        times.append(time.perf_counter_ns() - start)
        system.unmap(memory, system.HUGE)
    return [min(times)]
