"""Timers: those that the frozen learner has set ring nevertheless, and each stops the processor for a few microseconds at a time of its choice."""

import ctypes

import system
import windows

BITS = 32
COPIES = 3
CLOCK_MONOTONIC, TFD_TIMER_ABSTIME = 1, 1


def prepare(role):
    global timers
    system.pin(0)
    windows.prepare(BITS, COPIES)
    timers = []
    if role == "sender":
        for _ in range(BITS * COPIES):
            timers.append(system.check(system.libc.timerfd_create(CLOCK_MONOTONIC, 0)))


def send(step, bits):
    window = windows.next_one()
    for position, bit in enumerate(bits):
        for copy in range(COPIES):
            at = windows.slot(window, position, copy) if bit else 0
            value = (ctypes.c_long * 4)(0, 0, at // 1_000_000_000, at % 1_000_000_000)
            timer = timers[copy * BITS + position]
            system.check(system.libc.timerfd_settime(timer, TFD_TIMER_ABSTIME, value, None))


def read(step, who):
    return windows.read()
