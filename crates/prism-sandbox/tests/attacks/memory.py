"""Attacks on memory, by every road that leads past a count of mapped pages. Each is alone in its sandbox and ends with it."""

import ctypes
import mmap
import os
import signal
import socket
import time

from kit import LIBC, attack, main, syscall, tried

MEBIBYTE = 1 << 20
MORE_THAN_ANY_MEBIBYTES = 3072
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
LIBC.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def survived():
    """Reached only if nothing stopped us."""
    return {"survived": True}


@attack
def mem_anon():
    kept = []
    for _ in range(MORE_THAN_ANY_MEBIBYTES // 8):
        kept.append(b"x" * (8 * MEBIBYTE))
    return survived()


@attack
def mem_anon_fast():
    populate = 0x8000
    kept = mmap.mmap(-1, MORE_THAN_ANY_MEBIBYTES * MEBIBYTE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | populate)
    return survived() | {"size": len(kept)}


@attack
def mem_shared_anon():
    kept = mmap.mmap(-1, MORE_THAN_ANY_MEBIBYTES * MEBIBYTE)
    for offset in range(0, len(kept), mmap.PAGESIZE):
        kept[offset] = 1
    return survived()


@attack
def mem_memfd_unmapped():
    return tried(memfd=lambda: os.memfd_create("hidden"), secret=lambda: syscall("memfd_secret", 0))


@attack
def mem_sockbuf():
    """Fills socket buffers from many processes, so that no limit on descriptors stops it."""

    def fill():
        pairs = []
        try:
            while True:
                pair = socket.socketpair()
                pairs.append(pair)
                for end in pair:
                    end.setblocking(False)
                    try:
                        while True:
                            end.send(b"x" * 65536)
                    except BlockingIOError:
                        pass
        except OSError:
            pass
        signal.pause()

    children = 0
    try:
        for _ in range(100):
            if os.fork() == 0:
                fill()
            children += 1
    except OSError:
        pass
    time.sleep(20)
    return survived() | {"children": children}


@attack
def mem_pagetables():
    """Touches one page in every two mebibytes: each costs a page of page tables and nothing else."""
    count, stride = 400_000, 2 * MEBIBYTE
    private_anonymous_unreserved, no_huge_pages = 0x2 | 0x20 | 0x4000, 15
    address = LIBC.mmap(None, count * stride, mmap.PROT_READ, private_anonymous_unreserved, -1, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "mmap")
    LIBC.madvise(address, count * stride, no_huge_pages)
    for index in range(count):
        ctypes.string_at(address + index * stride, 1)
    time.sleep(20)
    return survived()


@attack
def mem_many_procs():
    for _ in range(30):
        if os.fork() == 0:
            kept = bytearray(100 * MEBIBYTE)
            kept[:: mmap.PAGESIZE] = b"x" * len(kept[:: mmap.PAGESIZE])
            signal.pause()
    time.sleep(20)
    return survived()


@attack
def mem_mlock():
    kept = mmap.mmap(-1, MEBIBYTE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(kept))

    def lock():
        ctypes.set_errno(0)
        if LIBC.mlock(ctypes.c_void_p(address), MEBIBYTE) != 0:
            raise OSError(ctypes.get_errno(), "mlock")

    def lock_all():
        ctypes.set_errno(0)
        if LIBC.mlockall(3) != 0:
            raise OSError(ctypes.get_errno(), "mlockall")

    return tried(mlock=lock, mlockall=lock_all)


if __name__ == "__main__":
    main()
