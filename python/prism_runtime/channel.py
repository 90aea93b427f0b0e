"""The worker's end of the socket: send one frame, wait for one frame.

Used by every role. Sending is serialised by a lock, because a warning may be noted or a metric
logged from another thread. It never retries and never times out: the referee holds the clock.
"""

import socket
import threading
from typing import TypeVar

from .errors import PeerGoneError, ProtocolError
from .limits import NOTE_MAX_BYTES, NOTES_MAX
from .messages import Message, Note
from .wire import encode_frame, read_frame

M = TypeVar("M", bound=Message)


class Channel:
    """A connected socket that carries whole frames."""

    def __init__(self, connection: socket.socket) -> None:
        """Take over `connection`."""
        self._socket = connection
        self._lock = threading.Lock()
        self._noted: set[str] = set()

    def send(self, message: Message) -> None:
        """Send one frame."""
        frame = encode_frame(message)
        try:
            with self._lock:
                self._socket.sendall(frame)
        except ConnectionError as error:
            raise PeerGoneError from error

    def receive(self) -> Message:
        """Wait for the next frame, of any kind."""
        return read_frame(self._socket)

    def expect(self, kind: type[M]) -> M:
        """Wait for the next frame, which must be of `kind`."""
        message = self.receive()
        if not isinstance(message, kind):
            raise ProtocolError(f"expected {kind.__name__}, got {type(message).__name__}")
        return message

    def note(self, text: str) -> None:
        """Send a warning for the report, each text once and at most `NOTES_MAX` of them."""
        text = text.encode("utf-8", "replace")[:NOTE_MAX_BYTES].decode("utf-8", "ignore")
        if text in self._noted or len(self._noted) >= NOTES_MAX:
            return
        self._noted.add(text)
        self.send(Note(text))

    def wait_for_end(self) -> None:
        """Block until the referee closes the socket; it may kill this process sooner."""
        try:
            while self._socket.recv(65_536):
                pass
        except ConnectionError:
            return
