"""Every kind of frame: its number, its fields, its limit, to bytes and back.

Used by `channel` and by the worker roles; the tests check it against `protocol/vectors.json`,
which the referee's tests read too. A body is refused when a field is out of range or a byte
is left over. Nothing here touches a socket or a tensor: arrays are raw little-endian bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, Self

from .codec import (
    F64,
    FLAG,
    SOURCE,
    U8,
    U16,
    U32,
    U64,
    Array,
    Bytes,
    Codec,
    Cursor,
    Json,
    OptionalArray,
    Text,
    unsigned,
)
from .errors import ProtocolError
from .limits import (
    FAILED_MESSAGE_MAX_BYTES,
    FAILED_TRACEBACK_MAX_BYTES,
    LAYOUT_ENTRIES_MAX,
    NOTE_MAX_BYTES,
    TENSOR_DIMS_MAX,
    TENSOR_NAME_MAX_BYTES,
)

LEARNER: Final = 1
AUDITOR: Final = 2
CLAIMANT: Final = 3
ROLE_NUMBERS: Final[Mapping[str, int]] = {
    "learner": LEARNER,
    "auditor": AUDITOR,
    "claimant": CLAIMANT,
}

STR8: Final = Text(U8, 255)
STR16: Final = Text(U16, 65_535)

TOKENS: Final = Array(4, lambda seen: seen["batch_size"] * (seen["seq_len"] + 1))
MASK: Final = Array(1, lambda seen: seen["batch_size"] * seen["seq_len"])
NATS: Final = Array(4, lambda seen: seen["count"])


@dataclass(frozen=True)
class Message:
    """A frame's body as named fields, in the order of the wire."""

    kind: ClassVar[int]
    limit_bytes: ClassVar[int]
    wire: ClassVar[tuple[Codec, ...]] = ()

    def encode(self) -> bytes:
        """Return the body."""
        pairs = zip(fields(self), self.wire, strict=True)
        body = b"".join(codec.write(getattr(self, field.name)) for field, codec in pairs)
        if len(body) > self.limit_bytes:
            raise ProtocolError(
                f"{type(self).__name__}: {len(body)} bytes, limit {self.limit_bytes}"
            )
        return body

    @classmethod
    def decode(cls, body: Bytes) -> Self:
        """Parse a body; arrays stay views into it."""
        if len(body) > cls.limit_bytes:
            raise ProtocolError(f"{cls.__name__}: {len(body)} bytes, limit {cls.limit_bytes}")
        cursor = Cursor(memoryview(body))
        seen: dict[str, Any] = {}
        for field, codec in zip(fields(cls), cls.wire, strict=True):
            seen[field.name] = codec.read(cursor, seen)
        if cursor.rest_bytes():
            raise ProtocolError(f"{cls.__name__}: {cursor.rest_bytes()} bytes are left over")
        return cls(**seen)


@dataclass(frozen=True)
class Hello(Message):
    """Torch is imported; `role` repeats what CONFIG asked for."""

    kind = 0x01
    limit_bytes = 258
    wire = (unsigned("B", range(LEARNER, CLAIMANT + 1)), STR8)
    role: int
    torch_version: str


@dataclass(frozen=True)
class Config(Message):
    """All that a worker is told; parsed by `config`."""

    kind = 0x02
    limit_bytes = 65_536
    wire = (Json(),)
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Built(Message):
    """The bundle is imported and `build_model` has returned."""

    kind = 0x03
    limit_bytes = 0


@dataclass(frozen=True)
class Shape(Message):
    """B and T, as the learner chose them."""

    kind = 0x04
    limit_bytes = 8
    wire = (U32, U32)
    batch_size: int
    seq_len: int


@dataclass(frozen=True)
class Entry:
    """One tensor of a snapshot. `dtype` is the number of the protocol's table."""

    name: str
    role: int
    dtype: int
    shape: tuple[int, ...]


class _Entries:
    """`count u32`, then the entries of a LAYOUT."""

    _name = Text(U16, TENSOR_NAME_MAX_BYTES, least_bytes=1)
    _dtype = unsigned("B", range(10))
    _dims = unsigned("B", range(TENSOR_DIMS_MAX + 1))
    _count = unsigned("I", range(LAYOUT_ENTRIES_MAX + 1))

    def write(self, value: tuple[Entry, ...]) -> bytes:
        """Encode the entries."""
        parts: list[bytes] = [self._count.write(len(value))]
        for entry in value:
            parts += [
                self._name.write(entry.name),
                FLAG.write(entry.role),
                self._dtype.write(entry.dtype),
                self._dims.write(len(entry.shape)),
                *(U64.write(size) for size in entry.shape),
            ]
        return b"".join(parts)

    def read(self, cursor: Cursor, seen: Mapping[str, Any]) -> tuple[Entry, ...]:
        """Decode the entries; a name may stand once."""
        entries: dict[str, Entry] = {}
        for _ in range(self._count.read(cursor, seen)):
            name = self._name.read(cursor, seen)
            if name in entries:
                raise ProtocolError(f"the tensor {name!r} is listed twice")
            role = FLAG.read(cursor, seen)
            dtype = self._dtype.read(cursor, seen)
            dims = self._dims.read(cursor, seen)
            shape = tuple(U64.read(cursor, seen) for _ in range(dims))
            entries[name] = Entry(name, role, dtype, shape)
        return tuple(entries.values())


@dataclass(frozen=True)
class Layout(Message):
    """Names, roles, dtypes and shapes of the snapshot, in the order of the segment."""

    kind = 0x05
    limit_bytes = 8_388_608
    wire = (_Entries(),)
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Failed(Message):
    """The worker gives up; `failures` writes it."""

    kind = 0x06
    limit_bytes = 65_536
    wire = (
        unsigned("B", range(5)),
        STR8,
        STR16,
        Text(U16, FAILED_MESSAGE_MAX_BYTES),
        Text(U32, FAILED_TRACEBACK_MAX_BYTES),
    )
    phase: int
    reason: str
    exception: str
    message: str
    traceback: str


@dataclass(frozen=True)
class Note(Message):
    """A warning for the report."""

    kind = 0x07
    limit_bytes = 1_026
    wire = (Text(U16, NOTE_MAX_BYTES),)
    text: str


@dataclass(frozen=True)
class Open(Message):
    """The first call of `ctx.stream`; `claims` is 0 for loss, 1 for eval."""

    kind = 0x10
    limit_bytes = 9
    wire = (U32, U32, FLAG)
    batch_size: int
    seq_len: int
    claims: int


@dataclass(frozen=True)
class Opened(Message):
    """How many batches there will be."""

    kind = 0x11
    limit_bytes = 8
    wire = (U64,)
    batches: int


@dataclass(frozen=True)
class Ready(Message):
    """The snapshot of `step` is in the segment."""

    kind = 0x12
    limit_bytes = 8
    wire = (U64,)
    step: int


@dataclass(frozen=True)
class BatchData(Message):
    """BATCH: `tokens` i32 (B, T+1) and `mask` u8 (B, T), row-major, after `read_bytes` of text."""

    kind = 0x13
    limit_bytes = 33_554_456
    wire = (U64, U64, U32, U32, TOKENS, MASK)
    step: int
    read_bytes: int
    batch_size: int
    seq_len: int
    tokens: Bytes
    mask: Bytes


@dataclass(frozen=True)
class Claims(Message):
    """`nats` f32 (B, T), row-major; masked places are ignored."""

    kind = 0x14
    limit_bytes = 16_777_228
    wire = (U64, U32, NATS)
    step: int
    count: int
    nats: Bytes


@dataclass(frozen=True)
class Resume(Message):
    """The claims of `step` are accepted."""

    kind = 0x15
    limit_bytes = 8
    wire = (U64,)
    step: int


@dataclass(frozen=True)
class End(Message):
    """No further batch: 0 end of data, 1 a budget is spent."""

    kind = 0x16
    limit_bytes = 1
    wire = (FLAG,)
    reason: int


class _Metrics:
    """`count u8`, then `count` times a key and a value."""

    def write(self, value: tuple[tuple[str, float], ...]) -> bytes:
        """Encode the pairs."""
        pairs = (STR8.write(key) + F64.write(number) for key, number in value)
        return U8.write(len(value)) + b"".join(pairs)

    def read(self, cursor: Cursor, seen: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
        """Decode the pairs."""
        count = U8.read(cursor, seen)
        return tuple((STR8.read(cursor, seen), F64.read(cursor, seen)) for _ in range(count))


@dataclass(frozen=True)
class Log(Message):
    """The miner's own metrics."""

    kind = 0x17
    limit_bytes = 4_096
    wire = (_Metrics(),)
    metrics: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Done(Message):
    """`train` has returned; with 1 the final weights are in the segment."""

    kind = 0x18
    limit_bytes = 1
    wire = (FLAG,)
    has_snapshot: int


@dataclass(frozen=True)
class Load(Message):
    """Take weights: `source` 0 is the segment, 1 the worker's own random init, 2 some of both.

    With 2 the parameters are those of the segment and the buffers those of the own init; 3 is the
    same, and the model predicts in train mode until the next load.
    """

    kind = 0x20
    limit_bytes = 9
    wire = (SOURCE, U64)
    source: int
    id: int


@dataclass(frozen=True)
class Loaded(Message):
    """The weights are in the model."""

    kind = 0x21
    limit_bytes = 8
    wire = (U64,)
    id: int


@dataclass(frozen=True)
class Question(Message):
    """Predict what follows `row` i32 (T,) at `column`."""

    kind = 0x22
    limit_bytes = 16_404
    wire = (U64, U32, U32, U32, Array(4, lambda seen: seen["seq_len"]))
    id: int
    lane: int
    column: int
    seq_len: int
    row: Bytes


@dataclass(frozen=True)
class Answer(Message):
    """Raw `logits` f32 (width,), absent when `width` is not the vocabulary."""

    kind = 0x23
    limit_bytes = 524_300
    wire = (U64, U32, OptionalArray(Array(4, lambda seen: seen["width"])))
    id: int
    width: int
    logits: Bytes


@dataclass(frozen=True)
class Score(Message):
    """Held-out rows, laid out as in BATCH."""

    kind = 0x24
    limit_bytes = 33_554_448
    wire = (U64, U32, U32, TOKENS, MASK)
    id: int
    batch_size: int
    seq_len: int
    tokens: Bytes
    mask: Bytes


@dataclass(frozen=True)
class Scores(Message):
    """`nats` f32 (B, T), row-major."""

    kind = 0x25
    limit_bytes = 16_777_228
    wire = (U64, U32, NATS)
    id: int
    count: int
    nats: Bytes


KINDS: Final[Mapping[int, type[Message]]] = {
    message.kind: message
    for message in (
        Hello, Config, Built, Shape, Layout, Failed, Note,
        Open, Opened, Ready, BatchData, Claims, Resume, End, Log, Done,
        Load, Loaded, Question, Answer, Score, Scores,
    )
}  # fmt: skip
