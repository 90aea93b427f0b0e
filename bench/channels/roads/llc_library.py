"""Last-level cache, a library that both have mapped: the learner loads or flushes a line, the auditor times a load of it (flush and reload)."""

import machine
import system
import torch  # maps the library

BITS = 32
LIBRARY = "libtorch_cpu.so"


def prepare(role):
    global lines
    # Read-only data in the middle of the largest view, a line of a page each, where no code of ours comes.
    start, end = max(system.mapped(LIBRARY), key=lambda view: view[1] - view[0])
    first = (start + end) // 2 // system.PAGE * system.PAGE
    lines = machine.places([first + 3 * system.PAGE * n + 64 * (7 + n) for n in range(BITS)])
    machine.touch(lines)


def send(step, bits):
    machine.flush(lines)
    machine.touch(machine.places([line for line, bit in zip(lines, bits) if bit]))


def read(step, who):
    ticks = machine.time_lines(lines)
    machine.flush(lines)
    return ticks
