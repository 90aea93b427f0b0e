"""Many clients at once, each with a connection of its own, in one thread: what they sent, and what they heard."""

import selectors
import socket
import time
from dataclasses import dataclass, field

from . import wire


@dataclass
class Sent:
    """A request and what came of it."""

    request: bytes
    heard: bytearray = field(default_factory=bytearray)
    left: memoryview = field(default_factory=lambda: memoryview(b""))
    failed: bool = False

    @property
    def status(self) -> int | None:
        """The status of a whole answer; None where there is none."""
        head, blank, body = bytes(self.heard).partition(b"\r\n\r\n")
        if not blank:
            return None
        lengths = [
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        ]
        return int(head.split()[1]) if lengths and len(body) >= lengths[0] else None

    @property
    def body(self) -> bytes:
        """What came after the head."""
        return bytes(self.heard).partition(b"\r\n\r\n")[2]


def ask_all(address: wire.Address, requests: list[bytes], *, seconds: float) -> list[Sent]:
    """Open all connections, then send all requests, then read; those that fail stay without an answer."""
    chosen = selectors.DefaultSelector()
    all_sent = []
    sockets = []
    for request in requests:
        one = Sent(request, left=memoryview(request))
        all_sent.append(one)
        try:
            connection = socket.create_connection(address, timeout=30)
        except OSError:
            one.failed = True
            continue
        connection.setblocking(False)  # noqa: FBT003
        sockets.append(connection)
        chosen.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE, one)
    end = time.monotonic() + seconds
    while chosen.get_map() and time.monotonic() < end:
        for key, events in chosen.select(0.5):
            one = key.data
            try:
                if events & selectors.EVENT_WRITE:
                    one.left = one.left[key.fileobj.send(one.left) :]
                    if not one.left:
                        chosen.modify(key.fileobj, selectors.EVENT_READ, one)
                if events & selectors.EVENT_READ:
                    piece = key.fileobj.recv(65536)
                    one.heard += piece
                    if not piece or one.status is not None:
                        one.failed = one.status is None
                        chosen.unregister(key.fileobj)
            except OSError:
                one.failed = True
                chosen.unregister(key.fileobj)
    for connection in sockets:
        connection.close()
    return all_sent
