"""Mapped pages by `smaps`: whether somebody else has a page of a shared file mapped halves its proportional size."""

import system

BITS = 8
STRIDE = 1 << 20
COLD = True


def prepare(role):
    global address, size
    path = system.cold_file()
    address, size = system.map_file(path)
    for position in range(BITS):
        system.byte(address + position * STRIDE)
    if role == "receiver":
        # A view of its own for each position, so that each has a number of its own.
        for position in range(BITS):
            system.check(
                system.libc.madvise(address + position * STRIDE, system.PAGE, system.MADV_RANDOM)
            )


def send(step, bits):
    """Whatever is mapped is taken away, and what is 1 touched again."""
    for position, bit in enumerate(bits):
        page = address + position * STRIDE
        system.check(system.libc.madvise(page, 16 * system.PAGE, 4))
        if bit:
            system.byte(page)


def read(step, who):
    shares = {}
    with open("/proc/self/smaps") as smaps:
        for line in smaps:
            if "-" in line.split(" ", 1)[0]:
                start = int(line.split("-", 1)[0], 16)
            elif line.startswith("Pss_Dirty"):
                continue
            elif line.startswith("Pss:"):
                shares[start] = int(line.split()[1])
    return [shares.get(address + position * STRIDE, 0) for position in range(BITS)]
