"""Last-level cache, by room: the learner streams more memory than the caches hold, or none; the auditor times memory that it had there."""

import machine
import system

BITS = 1
STREAM_BYTES = 400 << 20
OWN_BYTES = 8 << 20
OWN_LINES = 2000


def prepare(role):
    global memory, size, own
    system.pin(0)
    size = STREAM_BYTES if role == "sender" else OWN_BYTES
    memory = system.huge(size)
    for at in range(0, size, system.PAGE):
        system.libc.memset(
            system.ctypes.c_void_p(memory + at), 1, system.ctypes.c_size_t(system.PAGE)
        )
    own = machine.places(
        [memory + (n * 667 % OWN_LINES) * system.PAGE + 64 * (n % 32) for n in range(OWN_LINES)]
    )


def send(step, bits):
    if bits[0]:
        machine.stream(memory, size, 64)
        machine.stream(memory, size, 64)


def read(step, who):
    ticks = sorted(machine.time_lines(own))
    machine.touch(own)
    return [ticks[len(ticks) // 2]]
