"""Addresses: where the kernel puts fresh memory of the auditor, after the learner has mapped much or nothing."""

import system

BITS = 1
SIZE = 1 << 30


def prepare(role):
    global views, first
    views = []
    first = system.anonymous(system.PAGE)


def send(step, bits):
    while views:
        system.unmap(views.pop(), SIZE)
    if bits[0]:
        views.extend(system.anonymous(SIZE) for _ in range(2))


def read(step, who):
    memory = system.anonymous(system.PAGE)
    system.unmap(memory, system.PAGE)
    return [float(memory - first)]
