"""Page residency by a fault: the same, by the time that the first touch of a mapped page takes."""

import time

import system

BITS = 4
STRIDE = 64 << 10
COLD = True


def prepare(role):
    global address
    address, size = system.map_file(system.cold_file())
    system.check(system.libc.madvise(address, size, system.MADV_RANDOM))


def _place(step, who, position):
    return address + ((2 * step + (who == "replay")) * BITS + position) * STRIDE


def send(step, bits):
    for who in ("auditor", "replay"):
        for position, bit in enumerate(bits):
            if bit:
                system.byte(_place(step, who, position))


def read(step, who):
    times = []
    for position in range(BITS):
        start = time.perf_counter_ns()
        system.byte(_place(step, who, position))
        times.append(time.perf_counter_ns() - start)
    return times
