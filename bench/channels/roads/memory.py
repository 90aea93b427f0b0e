"""Memory: the learner holds 1 GB or gives them back, and the auditor times fresh memory of its own."""

import ctypes
import time

import system

BITS = 1
HELD_BYTES = 1 << 30
TOUCHED_BYTES = 32 << 20


def prepare(role):
    global held
    held = None


def _touch(address, size):
    for at in range(0, size, system.PAGE):
        ctypes.c_ubyte.from_address(address + at).value = 1


def send(step, bits):
    global held
    if held is not None:
        system.unmap(held, HELD_BYTES)
        held = None
    if bits[0]:
        held = system.anonymous(HELD_BYTES)
        system.libc.memset(ctypes.c_void_p(held), 1, ctypes.c_size_t(HELD_BYTES))


def read(step, who):
    start = time.perf_counter_ns()
    memory = system.anonymous(TOUCHED_BYTES)
    _touch(memory, TOUCHED_BYTES)
    system.unmap(memory, TOUCHED_BYTES)
    return [time.perf_counter_ns() - start]
