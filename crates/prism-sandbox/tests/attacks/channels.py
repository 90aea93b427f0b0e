"""Attacks by which two sandboxes could talk: through locks, notices, pages and pools that the kernel keeps in common for both."""

import ctypes
import fcntl
import mmap
import os
import resource
import socket
import struct

from kit import HOST, LIBC, NUMBERS, attack, main, syscall, tried, tried_each

NOTHING = [0] * 6
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]


def whole_file(kind):
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0)


@attack
def chan_ask_about_inode():
    """Asking who holds a lock or a lease, and leaving a hint in the inode."""
    handle = os.open(HOST["bound_file"], os.O_RDONLY)
    folder = os.open(os.path.dirname(HOST["bound_file"]), os.O_RDONLY)
    write_lock, hint = whole_file(fcntl.F_WRLCK), struct.pack("Q", 3)
    return tried(
        get_lock=lambda: fcntl.fcntl(handle, fcntl.F_GETLK, write_lock),
        get_lock_of_file=lambda: fcntl.fcntl(handle, 36, write_lock),
        get_lock_high_bits=lambda: syscall("fcntl", handle, fcntl.F_GETLK | 1 << 32, ctypes.create_string_buffer(write_lock)),
        set_lease=lambda: fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK),
        get_lease=lambda: fcntl.fcntl(handle, fcntl.F_GETLEASE),
        notify=lambda: fcntl.fcntl(folder, fcntl.F_NOTIFY, 1),
        set_hint=lambda: fcntl.fcntl(handle, 1036, hint),
        get_hint=lambda: fcntl.fcntl(handle, 1035, hint),
    )


@attack
def chan_locks_pretend():
    """Taking a lock always works, whoever else has it, and leaves nothing behind."""
    outcomes = []
    for path in [HOST["bound_file"], "/dev/null"]:
        handles = [os.open(path, os.O_RDONLY) for _ in range(2)]
        for handle in handles:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(handle, fcntl.LOCK_SH, 1, 1000)
            fcntl.fcntl(handle, 37, whole_file(fcntl.F_RDLCK))
            fcntl.fcntl(handle, 38, whole_file(fcntl.F_RDLCK))
            outcomes.append(path)
        for handle in handles:
            fcntl.flock(handle, fcntl.LOCK_UN)
            fcntl.lockf(handle, fcntl.LOCK_UN)
    return {"locked": len(outcomes)}


@attack
def chan_notices():
    calls = ["inotify_init1", "inotify_add_watch", "inotify_rm_watch", "inotify_init"]
    return tried_each((name, lambda name=name: syscall(name, *NOTHING)) for name in calls if name in NUMBERS)


@attack
def chan_pages_in_memory():
    """Asking whether a page of a shared file is in memory."""
    handle = os.open("/usr/bin/env", os.O_RDONLY)
    report = tried_each((name, lambda name=name: syscall(name, *NOTHING)) for name in ["mincore", "cachestat", "io_setup", "io_submit", "io_getevents", "io_pgetevents"])
    report["tries"] |= tried(
        read=lambda: os.preadv(handle, [bytearray(4096)], 0, os.RWF_NOWAIT),
        read_with_more=lambda: os.preadv(handle, [bytearray(4096)], 0, os.RWF_NOWAIT | os.RWF_HIPRI),
    )["tries"]
    return report


@attack
def chan_newer_futexes():
    return tried_each((name, lambda name=name: syscall(name, *NOTHING)) for name in ["futex_waitv", "futex_wake", "futex_wait", "futex_requeue"])


@attack
def chan_put_out_pages():
    """Putting shared pages out of memory pretends to work, and does nothing."""
    handle = os.open("/usr/bin/env", os.O_RDONLY)
    os.read(handle, 1 << 20)
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    view = mmap.mmap(handle, 0, prot=mmap.PROT_READ)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_majflt
    sum(view[:: mmap.PAGESIZE])
    report = {"read_again": resource.getrusage(resource.RUSAGE_SELF).ru_majflt - before}
    # On a locked page the kernel refuses the first two, and on so small a range the third.
    page = mmap.mmap(-1, mmap.PAGESIZE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    LIBC.mlock(ctypes.c_void_p(address), mmap.PAGESIZE)
    advice = dict(cold=20, pageout=21, collapse=25, mergeable=12)
    return report | tried_each((name, lambda number=number: syscall("madvise", address, mmap.PAGESIZE, number)) for name, number in advice.items())


@attack
def chan_pools():
    """Pools and counts of the whole machine: large pages, compiled socket filters, merged pages, keys of file systems, nodes."""
    anonymous_large_private = 0x2 | 0x20 | 0x40000
    keys = dict(add=0xC0506617, remove=0xC0406618, remove_all=0xC0406619, status=0xC080661A)
    handle = os.open(HOST["bound_file"], os.O_RDONLY)
    buffer = bytearray(128)

    def large_page():
        ctypes.set_errno(0)
        if LIBC.mmap(None, 2 << 20, mmap.PROT_READ, anonymous_large_private, -1, 0) in (None, ctypes.c_void_p(-1).value):
            raise OSError(ctypes.get_errno(), "mmap")

    def attach(option):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, option, bytes(16))

    tries = [("large page", large_page), ("merge", lambda: syscall("prctl", 67, 1, 0, 0, 0))]
    tries += [(f"option {option}", lambda option=option: attach(option)) for option in [26, 50, 51, 52]]
    tries += [(name, lambda number=number: fcntl.ioctl(handle, number, buffer)) for name, number in keys.items()]
    tries += [("move", lambda: syscall("mbind", 0, 0, 0, 0, 0, 2)), ("where", lambda: syscall("get_mempolicy", 0, 0, 0, 0, 3))]
    return tried_each(tries)


if __name__ == "__main__":
    main()
