"""Page residency by reading: which pages of a shared file are in memory, by the time that reading one takes."""

import os
import time

import system

BITS = 4
STRIDE = 64 << 10
COLD = True


def prepare(role):
    global fd
    fd = os.open(system.cold_file(), os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)


def _place(step, who, position):
    return ((2 * step + (who == "replay")) * BITS + position) * STRIDE


def send(step, bits):
    for who in ("auditor", "replay"):
        for position, bit in enumerate(bits):
            if bit:
                os.pread(fd, 1, _place(step, who, position))


def read(step, who):
    times = []
    for position in range(BITS):
        start = time.perf_counter_ns()
        os.pread(fd, 1, _place(step, who, position))
        times.append(time.perf_counter_ns() - start)
    return times
