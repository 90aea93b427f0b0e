"""Waiting threads: a thread of the learner waits on a word of a shared file, and the auditor counts whom it wakes there."""

import ctypes
import threading
import time

import system

BITS = 8
# A thread that is stopped by a signal leaves the queue, one in a version 1 freezer stays.
SENDER_RUNS = True
SYS_FUTEX = 202
FUTEX_WAIT, FUTEX_WAKE = 0, 1


def prepare(role):
    global address, waiting
    address, _ = system.map_file(system.cold_file())
    waiting = {}


def _futex(position, operation, value):
    word = ctypes.c_void_p(address + 64 * position)
    return system.libc.syscall(SYS_FUTEX, word, operation, value, None, None, 0)


def _wait(position, step):
    while current == step:
        value = ctypes.c_uint32.from_address(address + 64 * position).value
        if _futex(position, FUTEX_WAIT, value) != 0:
            time.sleep(0.001)


def send(step, bits):
    global current
    current = step
    for position in range(BITS):
        _futex(position, FUTEX_WAKE, 1 << 20)
    for position, bit in enumerate(bits):
        if bit:
            threading.Thread(target=_wait, args=(position, step), daemon=True).start()
    time.sleep(0.01)


def read(step, who):
    return [_futex(position, FUTEX_WAKE, 0x7FFFFFFF) for position in range(BITS)]
