"""Counters: pipes take numbers from a counter of the whole machine, and `fstat` tells them."""

import os

import system

BITS = 1
PIPES = 3000


def prepare(role):
    global before
    system.pin(0)
    before = 0


def _number():
    ends = os.pipe()
    number = os.fstat(ends[0]).st_ino
    for end in ends:
        os.close(end)
    return number


def send(step, bits):
    if bits[0]:
        for _ in range(PIPES):
            _number()


def read(step, who):
    global before
    number = _number()
    passed, before = number - before, number
    return [passed]
