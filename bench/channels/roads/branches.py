"""The branch predictor: both run the same branches on one processor, the learner teaches it the bits, the auditor times its guesses."""

import ctypes

import machine
import system

BITS = 16
REPEATS = 200


def prepare(role):
    global code
    system.pin(0)
    code = machine.places(machine.CODE_PLACES)


def send(step, bits):
    out = (ctypes.c_uint64 * BITS)()
    spelt = sum(bit << position for position, bit in enumerate(bits))
    for _ in range(REPEATS):
        machine.branches(spelt, out)


def read(step, who):
    out = (ctypes.c_uint64 * BITS)()
    # Into the caches without being run: a line that is far away costs more than a wrong guess.
    machine.touch(code)
    machine.touch(code)
    machine.now()
    machine.branches(0, out)
    return list(out)
