"""Reads that are under way: the learner asks for much of a file ahead of time, and the auditor looks for the interruptions that the disk makes."""

import os
import time

import system
import windows

BITS = 1
COLD = True
AHEAD_BYTES = 1 << 20
WINDOW_NS = 10_000_000


def prepare(role):
    global fd
    system.pin(0)
    windows.prepare(1, 1)
    fd = os.open(system.cold_file(), os.O_RDONLY)


def send(step, bits):
    if bits[0]:
        os.posix_fadvise(fd, step * AHEAD_BYTES % (100 << 20), AHEAD_BYTES, os.POSIX_FADV_WILLNEED)


def read(step, who):
    return [sum(length for _, length in windows.pauses(time.monotonic_ns() + WINDOW_NS))]
