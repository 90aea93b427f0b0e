"""Page residency by asking: `mincore` on a mapped file."""

import ctypes

import system

BITS = 4
STRIDE = 64 << 10
COLD = True


def prepare(role):
    global address
    address, size = system.map_file(system.cold_file())
    system.check(system.libc.madvise(address, size, system.MADV_RANDOM))
    system.libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]


def _place(step, position):
    return address + (step * BITS + position) * STRIDE


def send(step, bits):
    for position, bit in enumerate(bits):
        if bit:
            system.byte(_place(step, position))


def read(step, who):
    answer = (ctypes.c_ubyte * 1)()
    held = []
    for position in range(BITS):
        system.libc.mincore(_place(step, position), system.PAGE, answer)
        held.append(answer[0] & 1)
    return held
