"""The block layer: the learner has much read ahead, and the auditor times a read of its own meanwhile."""

import os
import time

import system

BITS = 1
COLD = True


def prepare(role):
    global fd
    fd = os.open(system.cold_file(), os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)


def send(step, bits):
    if bits[0]:
        for piece in range(8):
            os.posix_fadvise(
                fd, (32 << 20) + (step * 8 + piece) * (64 << 10), 64 << 10, os.POSIX_FADV_WILLNEED
            )


def read(step, who):
    start = time.perf_counter_ns()
    os.pread(fd, 1, step * (64 << 10))
    return [time.perf_counter_ns() - start]
