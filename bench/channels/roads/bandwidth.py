"""Memory bandwidth: threads of the learner stream memory, or none does, while the auditor times a stream of its own. Wants a learner that runs."""

import threading

import machine
import system

BITS = 1
BYTES = 64 << 20
SENDER_RUNS = True


def prepare(role):
    global memory, busy
    memory = system.anonymous(BYTES)
    system.libc.memset(system.ctypes.c_void_p(memory), 1, system.ctypes.c_size_t(BYTES))
    busy = False
    if role == "sender":
        for _ in range(system.cpus()):
            threading.Thread(target=_stream, daemon=True).start()


def _stream():
    import time

    while True:
        if busy:
            machine.stream(memory, BYTES, 64)
        else:
            time.sleep(0.001)


def send(step, bits):
    global busy
    busy = bool(bits[0])


def read(step, who):
    return [sum(machine.stream(memory, 16 << 20, 64) for _ in range(5))]
