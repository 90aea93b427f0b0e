"""Attacks through what the caller passed: a socket, a memory file sealed against us, and one that is ours to write."""

import array
import mmap
import os
import socket

from kit import HOST, attack, main, tried


def passed_socket():
    return socket.socket(fileno=os.dup(HOST["socket_fd"]))


@attack
def ipc_roundtrip():
    """The control: what is passed works."""
    with passed_socket() as s:
        s.send(b"ack:" + s.recv(100))
    with mmap.mmap(HOST["sealed_fd"], 4096, prot=mmap.PROT_READ) as view:
        return {"read": view[:15].decode()}


@attack
def memfd_reopen_rw():
    def write_reopened():
        handle = os.open(f"/proc/self/fd/{HOST['sealed_fd']}", os.O_RDWR)
        try:
            os.pwrite(handle, b"planted", 0)
        finally:
            os.close(handle)

    def map_reopened():
        handle = os.open(f"/proc/self/fd/{HOST['sealed_fd']}", os.O_RDWR)
        try:
            mmap.mmap(handle, 4096)[:7] = b"planted"
        finally:
            os.close(handle)

    return tried(
        write=lambda: os.pwrite(HOST["sealed_fd"], b"planted", 0),
        map=lambda: mmap.mmap(HOST["sealed_fd"], 4096),
        write_reopened=write_reopened,
        map_reopened=map_reopened,
    )


@attack
def memfd_shrink_sigbus():
    return tried(
        shrink_sealed=lambda: os.ftruncate(HOST["sealed_fd"], 0),
        shrink_own=lambda: os.ftruncate(HOST["writable_fd"], 0),
        grow_own=lambda: os.ftruncate(HOST["writable_fd"], 8192),
    )


@attack
def ipc_flood():
    sent = 0
    with passed_socket() as s:
        s.setblocking(False)
        try:
            while sent < 1_000_000:
                s.send(b"x" * 512)
                sent += 1
        except BlockingIOError:
            pass
        finally:
            s.setblocking(True)
    return {"sent": sent}


@attack
def ipc_fd_flood():
    sent, refused = 0, "nothing"
    handles = [os.open("/tmp/flooding-descriptor", os.O_CREAT | os.O_RDWR) for _ in range(20)]
    with passed_socket() as s:
        s.setblocking(False)
        try:
            while sent < 100_000:
                s.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", handles))])
                sent += 1
        except OSError as error:
            refused = type(error).__name__
        finally:
            s.setblocking(True)
    return {"sent": sent, "refused": refused}


if __name__ == "__main__":
    main()
