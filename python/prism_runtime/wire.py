"""Frames: eight bytes of header, then a body of bounded length.

Used by `channel`. Knows nothing of what a body means. The length is checked against the limit
of the frame's kind before a byte of the body is read or memory for it is taken.
"""

import socket
import struct
from typing import Final

from .codec import Bytes
from .errors import PeerGoneError, ProtocolError
from .limits import HEADER_BYTES, PROTOCOL_VERSION
from .messages import KINDS, Message

_HEADER: Final = struct.Struct("<IBBH")


def encode_frame(message: Message) -> bytes:
    """Return header and body of `message`."""
    body = message.encode()
    return _HEADER.pack(len(body), PROTOCOL_VERSION, message.kind, 0) + body


def decode_header(header: Bytes) -> tuple[type[Message], int]:
    """Return the class of the frame and its body length in bytes."""
    body_bytes, version, number, zero = _HEADER.unpack(header)
    if version != PROTOCOL_VERSION:
        raise ProtocolError(f"protocol version {version}, this runtime speaks {PROTOCOL_VERSION}")
    if zero != 0:
        raise ProtocolError(f"the reserved field of the header is {zero}, not 0")
    kind = KINDS.get(number)
    if kind is None:
        raise ProtocolError(f"unknown kind of frame 0x{number:02x}")
    if body_bytes > kind.limit_bytes:
        raise ProtocolError(f"{kind.__name__}: {body_bytes} bytes, limit {kind.limit_bytes}")
    return kind, body_bytes


def read_frame(source: socket.socket) -> Message:
    """Block until one whole frame is there; raise `PeerGoneError` at the end of the stream."""
    kind, body_bytes = decode_header(_read_exactly(source, HEADER_BYTES))
    return kind.decode(_read_exactly(source, body_bytes))


def _read_exactly(source: socket.socket, count_bytes: int) -> bytearray:
    buffer = bytearray(count_bytes)
    rest = memoryview(buffer)
    while rest:
        try:
            got = source.recv_into(rest)
        except ConnectionError as error:
            raise PeerGoneError from error
        if got == 0:
            raise PeerGoneError
        rest = rest[got:]
    return buffer
