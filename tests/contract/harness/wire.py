"""HTTP over a socket, by hand: a client that can do what no client should.

Sends bytes as they are, in pieces, slowly, or half; reads one answer. Answers are parsed by the standard library.
"""

import http.client
import json
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

PATIENCE_SECONDS = 60
Address = tuple[str, int]
Headers = dict[str, str] | list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """Return the body, which must say that it is JSON."""
        assert self.headers["content-type"] == "application/json", (self.status, self.body[:500])
        return json.loads(self.body)

    def ok(self) -> Any:
        """Return the body of a success."""
        assert self.status == 200, (self.status, self.body[:2000])
        return self.json()


def head(method: str, path: str, headers: Headers, *, version: str = "1.1") -> bytes:
    """Return the head of a request with its blank line."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    lines = [f"{method} {path} HTTP/{version}", "Host: contract"]
    lines += [f"{name}: {value}" for name, value in pairs]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


class Connection:
    """A connection that says what it is told to say."""

    def __init__(self, address: Address) -> None:
        """Connect."""
        self.socket = socket.create_connection(address, timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        """Use it in a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def request(self, method: str, path: str, headers: Headers | None = None, body: bytes | None = None) -> None:
        """Send a whole request."""
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
        names = {name.lower() for name, _ in pairs}
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            pairs.append(("Content-Length", str(len(body))))
        self.send(head(method, path, pairs) + (body or b""))

    def answer(self, method: str = "GET") -> Answer:
        """Read an answer to its end."""
        response = http.client.HTTPResponse(self.socket, method=method)
        response.begin()
        return Answer(response.status, response.headers, response.read())

    def stream(self) -> http.client.HTTPResponse:
        """Read the head of an answer whose body comes piece by piece."""
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        return response

    def is_closed(self) -> bool:
        """Wait until the other side has closed; whether it did so without a word."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def reset(self) -> None:
        """Vanish: the other side gets a reset, as from a machine that died."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()


def ask(
    address: Address,
    method: str,
    path: str,
    headers: Headers | None = None,
    body: bytes | None = None,
) -> Answer:
    """Send a request on a connection of its own and read the answer."""
    with Connection(address) as connection:
        connection.request(method, path, headers, body)
        return connection.answer(method)


def get(address: Address, path: str, headers: Headers | None = None) -> Answer:
    """Ask for a page."""
    return ask(address, "GET", path, headers)


def chunked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Return the pieces as the chunks of a body, with its end."""
    for piece in pieces:
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"


def eventually(look: Any, *, seconds: float = 30, pause: float = 0.02) -> Any:
    """Return the first answer that is not None."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        assert time.monotonic() < end, "it did not come true"
        time.sleep(pause)
