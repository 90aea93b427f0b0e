"""Translations of addresses: both run on one processor, the learner touches many pages or none, the auditor times pages that it knew."""

import machine
import system

BITS = 1
PAGES = 4096
OWN_PAGES = 400


def prepare(role):
    global places
    system.pin(0)
    count = PAGES if role == "sender" else OWN_PAGES
    memory = system.anonymous(count * system.PAGE)
    for page in range(count):
        system.libc.memset(
            system.ctypes.c_void_p(memory + page * system.PAGE), 1, system.ctypes.c_size_t(1)
        )
    places = machine.places([memory + (n * 101 % count) * system.PAGE for n in range(count)])


def send(step, bits):
    if bits[0]:
        for _ in range(4):
            machine.touch(places)


def read(step, who):
    ticks = sorted(machine.time_loads(places))
    machine.touch(places)
    return [sum(ticks[: OWN_PAGES * 9 // 10])]
