"""Last-level cache, the kernel's huge page of zeros: 2 MiB that are the same for everybody who asks for large pages and only reads."""

import machine
import system

BITS = 64


def prepare(role):
    global lines
    start = system.huge(system.HUGE)
    lines = machine.places(
        [start + 8 * system.PAGE * (37 * n % BITS) + 64 * (n % 32) for n in range(BITS)]
    )
    machine.touch(lines)


def send(step, bits):
    machine.flush(lines)
    machine.touch(machine.places([line for line, bit in zip(lines, bits) if bit]))


def read(step, who):
    ticks = machine.time_lines(lines)
    machine.flush(lines)
    return ticks
