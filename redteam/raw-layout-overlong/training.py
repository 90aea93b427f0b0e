"""Speaks the protocol itself, without the harness.

It answers OPENED with a layout of one enormous tensor.
"""

import os
import socket
import struct
import sys

channel = socket.socket(fileno=os.dup(3))


def send(kind, body):
    channel.sendall(struct.pack("<IBBH", len(body), 2, kind, 0) + body)


def receive(kind):
    def read(count):
        data = b""
        while len(data) < count:
            part = channel.recv(count - len(data))
            if not part:
                sys.exit("the referee hung up")
            data += part
        return data

    size, _, got, _ = struct.unpack("<IBBH", read(8))
    body = read(size)
    return body if got == kind else None


def train(ctx):
    send(0x10, struct.pack("<IIB", 16, 60, 0))
    receive(0x11)
    entry = (
        struct.pack("<H", 1)
        + b"w"
        + struct.pack("<BBB", 1, 8, 2)
        + struct.pack("<QQ", 2**40, 2**23)
    )
    send(0x05, struct.pack("<I", 1) + entry)
    receive(0x13)
