"""Calls and places of the system that several roads use: memory by address, processors, shared files.

Everything that asks the kernel is done in a road's `prepare`, before the seal; what a road does
later than that is what it tries.
"""

import ctypes
import mmap
import os
import sys

import settings

PAGE = mmap.PAGESIZE
HUGE = 2 << 20
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
# Of a part of a program, in its file.
PROT_WRITE_FLAG = 2
MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS = 1, 2, 0x20
MADV_RANDOM, MADV_HUGEPAGE = 1, 14

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def check(result):
    """`result`, or the error of the call that gave it."""
    if result is None or result in (-1, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def anonymous(size, prot=PROT_READ | PROT_WRITE, at=None):
    """The address of fresh memory, at `at` if that is free."""
    return check(libc.mmap(at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))


def huge(size):
    """The address of fresh memory that the kernel may give in pages of 2 MiB."""
    address = anonymous(size + HUGE)
    address = (address + HUGE - 1) // HUGE * HUGE
    check(libc.madvise(address, size, MADV_HUGEPAGE))
    return address


def map_file(path, prot=PROT_READ):
    """The address of a shared view of a whole file, and its size."""
    fd = os.open(path, os.O_RDONLY)
    size = os.fstat(fd).st_size
    address = check(libc.mmap(None, size, prot, MAP_SHARED, fd, 0))
    os.close(fd)
    return address, size


def unmap(address, size):
    """Take a view away."""
    check(libc.munmap(address, size))


def byte(address):
    """One byte of memory."""
    return ctypes.c_ubyte.from_address(address).value


class _Object(ctypes.Structure):
    """`struct dl_phdr_info`, as far as it is used."""

    _fields_ = [
        ("address", ctypes.c_uint64),
        ("name", ctypes.c_char_p),
        ("headers", ctypes.c_void_p),
        ("count", ctypes.c_uint16),
    ]


class _Header(ctypes.Structure):
    """`Elf64_Phdr`."""

    _fields_ = [
        ("kind", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("offset", ctypes.c_uint64),
        ("virtual", ctypes.c_uint64),
        ("physical", ctypes.c_uint64),
        ("in_file", ctypes.c_uint64),
        ("in_memory", ctypes.c_uint64),
        ("alignment", ctypes.c_uint64),
    ]


def mapped(name):
    """The loaded parts of the library whose name contains `name`: (start, end). `/proc` need not be readable."""
    found = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Object), ctypes.c_size_t, ctypes.c_void_p)
    def look(info, size, data):
        del size, data
        loaded = info.contents
        if name.encode() in (loaded.name or b""):
            for header in (_Header * loaded.count).from_address(loaded.headers):
                if header.kind == 1 and not header.flags & PROT_WRITE_FLAG:
                    start = loaded.address + header.virtual
                    found.append((start, start + header.in_file))
        return 0

    libc.dl_iterate_phdr(look, None)
    return found


def cold_file():
    """A file of the Python runtime that both sides see and nobody reads; the runner has put its pages out."""
    return os.path.join(sys.prefix, settings.COLD_FILE)


def pin(cpu):
    """Run on one processor."""
    usable = sorted(os.sched_getaffinity(0)) if not _usable else _usable
    _usable[:] = usable
    os.sched_setaffinity(0, {usable[cpu % len(usable)]})


def cpus():
    """How many processors there were before the first `pin`."""
    return len(_usable or os.sched_getaffinity(0))


_usable = []
