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
def mem_netbuf():
    """Fills the buffers of TCP and UDP, which no process maps and version 1 groups count apart; says how much went in."""
    read_end, write_end = os.pipe()

    def stuff(end, size):
        """Bytes that went in before it would have had to wait; of datagrams any number does."""
        sent = 0
        end.setblocking(False)
        try:
            for _ in range(64):
                sent += end.send(b"x" * size)
        except BlockingIOError:
            pass
        return sent

    def fill():
        sent, kept = 0, []
        try:
            with socket.create_server(("127.0.0.1", 0), backlog=200) as server:
                while True:
                    stream = socket.create_connection(server.getsockname(), timeout=5)
                    datagram, receiver = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
                    receiver.bind(("127.0.0.1", 0))
                    datagram.connect(receiver.getsockname())
                    kept += [stream, server.accept()[0], datagram, receiver]
                    sent += stuff(kept[-4], 1 << 20) + stuff(kept[-3], 1 << 20)
                    # What does not fit is lost without a word, so it is not counted.
                    stuff(datagram, 32768)
        except OSError:
            pass
        os.write(write_end, sent.to_bytes(8, "big"))
        signal.pause()

    children = 24
    for _ in range(children):
        if os.fork() == 0:
            fill()
    total = sum(int.from_bytes(os.read(read_end, 8), "big") for _ in range(children))
    # Longer than it takes to be noticed.
    time.sleep(20)
    return survived() | {"bytes": total}


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
