"""Packets: what the frozen learner has sent to itself goes on being delivered at the rate that it has set, and takes the processor away."""

import socket
import time

import system
import windows

BITS = 1
# Bytes a second of each pair; so little that the buffers last for a second.
RATE = 200_000
PAIRS = 20
SO_MAX_PACING_RATE = 47
WINDOW_NS = 50_000_000


def prepare(role):
    global pairs
    system.pin(0)
    windows.prepare(1, 1)
    pairs = []


def _connected():
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        sending = socket.socket()
        sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
        sending.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, RATE)
        sending.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        sending.connect(listening.getsockname())
        return sending, listening.accept()[0]


def send(step, bits):
    while pairs:
        for end in pairs.pop():
            end.close()
    for _ in range(PAIRS if bits[0] else 0):
        pairs.append(_connected())
        pairs[-1][0].setblocking(False)
        pairs[-1][0].send(bytes(1 << 20))


def read(step, who):
    lengths = [length for _, length in windows.pauses(time.monotonic_ns() + WINDOW_NS)]
    return [sum(1 for length in lengths if 4_000 < length < 100_000)]
