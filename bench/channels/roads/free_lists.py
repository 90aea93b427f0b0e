"""Lists of free pages: each processor keeps a few; the learner takes them or gives many back there, and the auditor times single pages of its own."""

import ctypes

import machine
import system

BITS = 1
PAGES = 2000
OWN_PAGES = 128


def prepare(role):
    global held
    system.pin(0)
    held = None


def send(step, bits):
    global held
    if held is None:
        held = system.anonymous(PAGES * system.PAGE)
        ctypes.memset(held, 1, PAGES * system.PAGE)
    if bits[0]:
        system.unmap(held, PAGES * system.PAGE)
        held = None


def read(step, who):
    memory = system.anonymous(OWN_PAGES * system.PAGE)
    ticks = []
    for page in range(OWN_PAGES):
        started = machine.now()
        ctypes.c_ubyte.from_address(memory + page * system.PAGE).value = 1
        ticks.append(machine.now() - started)
    system.unmap(memory, OWN_PAGES * system.PAGE)
    return [sum(sorted(ticks)[: OWN_PAGES * 15 // 16])]
