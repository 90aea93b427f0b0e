"""Speaks the protocol itself, without the harness.

It sends READY as its first frame.
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
    send(0x12, struct.pack("<Q", 0))
    receive(0x13)
