"""The field types of a frame's body: how one value becomes bytes and back.

Used by `messages` alone. Every reader checks its bounds before it takes a slice, so that a
short body is an error and never an exception of another kind. All integers little-endian.
"""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .errors import ProtocolError

Bytes = bytes | bytearray | memoryview


@dataclass
class Cursor:
    """A position in a body that only moves forward."""

    body: memoryview
    at: int = 0

    def take(self, count_bytes: int) -> memoryview:
        """Return the next `count_bytes` bytes, without a copy."""
        end = self.at + count_bytes
        if end > len(self.body):
            raise ProtocolError(f"body ends at byte {len(self.body)}, a field needs {end}")
        piece = self.body[self.at : end]
        self.at = end
        return piece

    def rest_bytes(self) -> int:
        """Count the bytes not yet taken."""
        return len(self.body) - self.at


class Codec(Protocol):
    """One field type. `seen` holds the fields of the same body that come before."""

    def write(self, value: Any) -> Bytes:
        """Encode `value`; raise `ProtocolError` when it does not fit."""

    def read(self, cursor: Cursor, seen: Mapping[str, Any]) -> Any:
        """Decode the next value."""


@dataclass(frozen=True)
class Scalar:
    """A fixed-width number, by its `struct` format."""

    layout: struct.Struct
    allowed: range | None = None

    def write(self, value: float) -> bytes:
        """Encode one number."""
        if self.allowed is not None and value not in self.allowed:
            raise ProtocolError(f"value {value} is outside {self.allowed}")
        try:
            return self.layout.pack(value)
        except struct.error as error:
            raise ProtocolError(f"value {value!r} does not fit: {error}") from error

    def read(self, cursor: Cursor, seen: Mapping[str, Any]) -> Any:
        """Decode one number."""
        del seen
        (value,) = self.layout.unpack(cursor.take(self.layout.size))
        if self.allowed is not None and value not in self.allowed:
            raise ProtocolError(f"value {value} is outside {self.allowed}")
        return value


@dataclass(frozen=True)
class Text:
    """A length (u8, u16 or u32, in bytes), then that many bytes of UTF-8."""

    length: Scalar
    limit_bytes: int
    least_bytes: int = 0

    def write(self, value: str) -> bytes:
        """Encode a string."""
        data = value.encode("utf-8")
        self._check(len(data))
        return self.length.write(len(data)) + data

    def read(self, cursor: Cursor, seen: Mapping[str, Any]) -> str:
        """Decode a string."""
        size = self.length.read(cursor, seen)
        self._check(size)
        try:
            return str(cursor.take(size), "utf-8")
        except UnicodeDecodeError as error:
            raise ProtocolError(f"a string is not UTF-8: {error}") from error

    def _check(self, size_bytes: int) -> None:
        if not self.least_bytes <= size_bytes <= self.limit_bytes:
            raise ProtocolError(
                f"a string of {size_bytes} bytes, not {self.least_bytes} to {self.limit_bytes}"
            )


@dataclass(frozen=True)
class Array:
    """Raw numbers of `item_bytes` each; how many is known from earlier fields."""

    item_bytes: int
    count: Callable[[Mapping[str, Any]], int]

    def write(self, value: Bytes) -> Bytes:
        """Pass the raw bytes through; the message checks their number when it is read back."""
        return value

    def read(self, cursor: Cursor, seen: Mapping[str, Any]) -> memoryview:
        """Return a view of the numbers, without a copy."""
        return cursor.take(self.count(seen) * self.item_bytes)


@dataclass(frozen=True)
class OptionalArray:
    """An `Array` that may be absent as a whole, at the end of a body."""

    array: Array

    def write(self, value: Bytes) -> Bytes:
        """Pass the raw bytes through."""
        return value

    def read(self, cursor: Cursor, seen: Mapping[str, Any]) -> memoryview:
        """Return a view of the numbers, empty when the body ends here."""
        if cursor.rest_bytes() == 0:
            return cursor.take(0)
        return self.array.read(cursor, seen)


@dataclass(frozen=True)
class Json:
    """The whole body is one JSON object."""

    def write(self, value: Mapping[str, Any]) -> bytes:
        """Encode an object compactly."""
        return json.dumps(value, separators=(",", ":")).encode("utf-8")

    def read(self, cursor: Cursor, seen: Mapping[str, Any]) -> dict[str, Any]:
        """Decode an object."""
        del seen
        try:
            value = json.loads(bytes(cursor.take(cursor.rest_bytes())))
        except (ValueError, RecursionError) as error:
            raise ProtocolError(f"not JSON: {error}") from error
        if not isinstance(value, dict):
            raise ProtocolError("not a JSON object")
        return value


def unsigned(layout: str, allowed: range | None = None) -> Scalar:
    """Make a scalar from a `struct` letter."""
    return Scalar(struct.Struct("<" + layout), allowed)


U8 = unsigned("B")
U16 = unsigned("H")
U32 = unsigned("I")
U64 = unsigned("Q")
F64 = unsigned("d")
FLAG = unsigned("B", range(2))
SOURCE = unsigned("B", range(4))
