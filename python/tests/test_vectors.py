"""The wire format against `protocol/vectors.json`, which the referee's tests read too."""

import json
import struct
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from prism_runtime.errors import ProtocolError
from prism_runtime.limits import HEADER_BYTES
from prism_runtime.messages import KINDS, Config, Entry, Layout, Log
from prism_runtime.wire import decode_header

DOCUMENT = json.loads(
    (Path(__file__).parents[2] / "protocol" / "vectors.json").read_text(encoding="utf-8")
)
VECTORS = DOCUMENT["vectors"]
INVALID = DOCUMENT["invalid"]

I32_FIELDS = {"tokens", "row"}
F32_FIELDS = {"nats", "logits"}


def field_values(kind: type, written: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the fields of a vector into the arguments of a message."""
    values: dict[str, Any] = {}
    for name, value in written.items():
        if name in I32_FIELDS:
            values[name] = struct.pack(f"<{len(value)}i", *value)
        elif name in F32_FIELDS:
            values[name] = struct.pack(f"<{len(value)}f", *value)
        elif name.endswith("_bits"):
            patterns = [int(bits, 16) for bits in value]
            values[name.removesuffix("_bits")] = struct.pack(f"<{len(value)}I", *patterns)
        elif name == "mask":
            values[name] = bytes(value)
        elif kind is Layout:
            values[name] = tuple(Entry(**(e | {"shape": tuple(e["shape"])})) for e in value)
        elif kind is Log:
            values[name] = tuple((key, number) for key, number in value)
        else:
            values[name] = value
    return values


def plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_a_vector_encodes_and_decodes(vector: dict[str, Any]) -> None:
    kind = KINDS[vector["kind"]]
    body = bytes.fromhex(vector["body_hex"])
    values = field_values(kind, vector["fields"])
    decoded = kind.decode(body)
    assert {f.name: plain(getattr(decoded, f.name)) for f in fields(kind)} == values
    if kind is not Config:
        assert kind(**values).encode() == body


@pytest.mark.parametrize("vector", INVALID, ids=lambda v: v["name"])
def test_an_invalid_frame_is_refused(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    with pytest.raises(ProtocolError):
        decode_frame(frame)


def decode_frame(frame: bytes) -> object:
    kind, body_bytes = decode_header(frame[:HEADER_BYTES])
    assert len(frame) == HEADER_BYTES + body_bytes, "the vector itself is cut"
    return kind.decode(frame[HEADER_BYTES:])


def test_every_kind_has_a_vector() -> None:
    assert {vector["kind"] for vector in VECTORS} == set(KINDS)


def test_names_are_unique() -> None:
    names = [vector["name"] for vector in VECTORS + INVALID]
    assert len(names) == len(set(names))
