"""Last-level cache, the kernel's page of zeros: memory that was only read is the same page for everybody."""

import machine
import system

BITS = 16


def prepare(role):
    global lines
    page = system.anonymous(system.PAGE, system.PROT_READ)
    # Every other line: two neighbours come in together. Shuffled, or the processor sees where it goes.
    lines = machine.places([page + 256 * (7 * n % BITS) for n in range(BITS)])
    machine.touch(lines)


def send(step, bits):
    machine.flush(lines)
    machine.touch(machine.places([line for line, bit in zip(lines, bits) if bit]))


def read(step, who):
    ticks = machine.time_loads(lines)
    machine.flush(lines)
    return ticks
