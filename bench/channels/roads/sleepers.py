"""Sleeping threads: those of the frozen learner that sleep until a time of its choice; the kernel's timer rings for each while it sleeps on."""

import ctypes
import threading
import time

import system
import windows

BITS = 16
COPIES = 3
# A thread that is stopped by a signal wakes, one in the freezer of a control group sleeps on.
SENDER_RUNS = True
CLOCK_MONOTONIC, TIMER_ABSTIME = 1, 1
PR_SET_TIMERSLACK = 29


def prepare(role):
    global window, step
    system.pin(0)
    windows.prepare(BITS, COPIES)
    window, step = None, threading.Condition()
    if role == "sender":
        for position in range(BITS):
            for copy in range(COPIES):
                threading.Thread(target=_sleep, args=(position, copy), daemon=True).start()


def _sleep(position, copy):
    system.libc.prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    done = None
    while True:
        with step:
            step.wait_for(lambda: window is not None and window != done)
            done = window
        if bits_now[position]:
            at = windows.slot(done, position, copy)
            until = (ctypes.c_long * 2)(at // 1_000_000_000, at % 1_000_000_000)
            system.libc.clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, until, None)


def send(number, bits):
    global window, bits_now
    with step:
        window, bits_now = windows.next_one(), bits
        step.notify_all()
    time.sleep(0.02)


def read(number, who):
    return windows.read()
