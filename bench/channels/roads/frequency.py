"""The speed of the processors: the learner computes hard with wide vectors, or sleeps, and the auditor times a fixed loop."""

import time

import machine
import numpy
import system

BITS = 1
SECONDS = 0.1


def prepare(role):
    global matrix
    matrix = numpy.full((512, 512), 0.5, dtype=numpy.float32)
    system.cpus()


def send(step, bits):
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        if bits[0]:
            matrix @ matrix
        else:
            time.sleep(SECONDS / 10)


def read(step, who):
    return [min(machine.work(20_000) for _ in range(5))]
