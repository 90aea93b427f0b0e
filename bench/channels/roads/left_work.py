"""Work left to the kernel: a child of the learner with much memory is killed just before the claims, and the auditor looks for pauses of its processor."""

import ctypes
import os
import signal
import time

import system
import windows

BITS = 1
CHILD_BYTES = 256 << 20
WINDOW_NS = 20_000_000


def prepare(role):
    system.cpus()
    windows.prepare(1, 1)


def send(step, bits):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if not bits[0]:
        return
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        held = system.anonymous(CHILD_BYTES)
        system.libc.memset(ctypes.c_void_p(held), 1, ctypes.c_size_t(CHILD_BYTES))
        os.write(tell, b".")
        time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    os.close(ready)
    os.close(tell)
    os.kill(child, signal.SIGKILL)


def read(step, who):
    return [sum(length for _, length in windows.pauses(time.monotonic_ns() + WINDOW_NS))]
