"""Text for an open run: a file, a shard of a locked corpus, or such a corpus.

Called by `run`. Documents come in the order of the stream, as `prism eval` hands them out, and stop
where the recipe's stream would. Text is not verified against the corpus's hashes.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from .errors import LocalError

# As long as a document of a locked corpus may be; the shortest piece that one is cut into.
DOCUMENT_BYTES_MAX: Final = 64 * 1024
_PIECE_BYTES_MIN: Final = 48 * 1024

_PACKED: Final = (".jsonl", ".gz", ".zst", ".parquet", ".zip")


def read_documents(path: Path, max_bytes: int) -> list[bytes]:
    """Return the documents of the longest prefix of at most `max_bytes`; the first in any case."""
    documents: list[bytes] = []
    total_bytes = 0
    for document in _documents(path, max_bytes):
        total_bytes += len(document)
        if documents and total_bytes > max_bytes:
            break
        documents.append(document)
    if not documents:
        raise LocalError(f"{path} holds no text. Name a file that has some.")
    return documents


def _documents(path: Path, max_bytes: int) -> Iterator[bytes]:
    try:
        if path.is_dir():
            yield from _corpus(path)
        elif path.with_suffix(".idx").is_file():
            yield from _shard(path, path.with_suffix(".idx"))
        else:
            yield from _plain(path, max_bytes)
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror or error}") from error


def _corpus(directory: Path) -> Iterator[bytes]:
    """Yield the train documents of a locked corpus."""
    manifest = directory / "manifest.json"
    if not manifest.is_file():
        raise LocalError(
            f"{directory} is no locked corpus: it has no `manifest.json`. Make one with `prism "
            "data lock`, or name a file of plain text."
        )
    try:
        shards = json.loads(manifest.read_bytes())["splits"]["train"]["shards"]
        stems = [Path(shard["stem"]).name for shard in shards]
    except (ValueError, KeyError, TypeError) as error:
        raise LocalError(
            f"{manifest} is no manifest of a corpus. Lock the corpus again."
        ) from error
    for stem in stems:
        yield from _shard(directory / f"{stem}.txt", directory / f"{stem}.idx")


def _shard(text: Path, index: Path) -> Iterator[bytes]:
    """Yield the documents of one shard; their lengths are u32, little-endian."""
    lengths: Iterable[int] = np.fromfile(index, dtype="<u4").tolist()
    with text.open("rb") as file:
        for number, length in enumerate(lengths):
            document = file.read(length)
            if not 0 < length <= DOCUMENT_BYTES_MAX or len(document) != length:
                raise LocalError(
                    f"Document {number} of {text} is not as long as {index} says. Lock the corpus "
                    "again."
                )
            yield document


def _plain(path: Path, max_bytes: int) -> Iterator[bytes]:
    """Yield a file of plain text, cut as a long document is."""
    if path.suffix.lower() in _PACKED:
        raise LocalError(
            f"{path} is no plain text. Lock it with `prism data lock --from {path} --out CORPUS` "
            "and name the corpus."
        )
    with path.open("rb") as file:
        # A document more than can be used, so that the last one is cut where it would be.
        data = file.read(max_bytes + DOCUMENT_BYTES_MAX)
        is_all = not file.read(1)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if is_all or error.start < len(data) - 4:
            raise LocalError(
                f"{path} is not UTF-8 at byte {error.start}. Convert the file."
            ) from error
        data = data[: error.start]
    start = 0
    while start < len(data):
        end = _cut(data, start)
        yield data[start:end]
        start = end


def _cut(data: bytes, start: int) -> int:
    """Return where the document ends that begins at `start`."""
    end = start + DOCUMENT_BYTES_MAX
    if end >= len(data):
        return len(data)
    for mark in (b"\n\n", b"\n", b" "):
        found = data.rfind(mark, start + _PIECE_BYTES_MIN - len(mark), end)
        if found >= 0:
            return found + len(mark)
    while data[end] & 0xC0 == 0x80:
        end -= 1
    return end
