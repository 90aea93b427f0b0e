"""Tokenizers for an open run, with the tokens that the referee's own would give.

Called by `run`. Bytes need nothing; the others need a package of the miner's environment, and are
an error without it: never another tokenizer in its place.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .errors import LocalError

NAMES: Final = ("bytes", "gpt2", "bundle")

# The names that the end of a text may have in a bundle's `tokenizer.json`.
_END_OF_TEXT_NAMES: Final = frozenset(
    {"<|endoftext|>", "<|end_of_text|>", "</s>", "<|eos|>", "<eos>", "[EOS]"}
)

Ids = npt.NDArray[np.int32]
Lengths = npt.NDArray[np.uint16]


class Encoder(ABC):
    """A document in, token ids and the bytes of each out; end-of-text is never put out."""

    name: str
    vocab_size: int
    end_of_text: int

    @abstractmethod
    def encode(self, document: bytes) -> tuple[Ids, Lengths]:
        """Return ids and byte lengths, both (tokens,)."""


class ByteEncoder(Encoder):
    """One token a byte; 256 ends a text."""

    name = "bytes"
    vocab_size = 257
    end_of_text = 256

    def encode(self, document: bytes) -> tuple[Ids, Lengths]:
        """Return the bytes themselves."""
        ids = np.frombuffer(document, dtype=np.uint8).astype(np.int32)
        return ids, np.ones(len(ids), dtype=np.uint16)


class TableEncoder(Encoder):
    """Whatever gives ids, with the check that they stand for exactly the bytes of the document."""

    def __init__(self, name: str, table: Sequence[bytes], end_of_text: int) -> None:
        """Know the bytes of each token by its id; special ones have none."""
        self.name = name
        self.vocab_size = len(table)
        self.end_of_text = end_of_text
        self._table = table
        self._single = {token: number for number, token in enumerate(table) if len(token) == 1}

    @abstractmethod
    def ids_of(self, text: str) -> list[int]:
        """Return the ids of a text, without special ones."""

    def encode(self, document: bytes) -> tuple[Ids, Lengths]:
        """Return the ids of the document; those of its single bytes, if the others lose any."""
        ids = self.ids_of(document.decode("utf-8"))
        tokens = [self._table[number] for number in ids]
        if b"".join(tokens) != document or not all(tokens):
            tokens = [bytes([byte]) for byte in document]
            if any(token not in self._single for token in tokens):
                raise LocalError(
                    "The tokenizer does not keep the text as it is, and its vocabulary lacks some "
                    "of the 256 single bytes. Add them to it."
                )
            ids = [self._single[token] for token in tokens]
        lengths = [len(token) for token in tokens]
        return np.array(ids, dtype=np.int32), np.array(lengths, dtype=np.uint16)


class Gpt2Encoder(TableEncoder):
    """GPT-2, by the `tiktoken` package."""

    def __init__(self) -> None:
        """Load it; the package may fetch its merges from the network once."""
        try:
            import tiktoken  # noqa: PLC0415  (only who asks for it needs it)
        except ImportError as error:
            raise LocalError(
                "The tokenizer `gpt2` needs the package `tiktoken`, which this Python does not "
                "have. Run `pip install tiktoken`, or use `--tokenizer bytes`."
            ) from error
        try:
            encoding = tiktoken.get_encoding("gpt2")
        except Exception as error:
            raise LocalError(
                f"`tiktoken` could not load GPT-2's merges, which it fetches from the network "
                f"once: {error}. Use `--tokenizer bytes` without a network."
            ) from error
        end_of_text = int(encoding.eot_token)
        table = [encoding.decode_single_token_bytes(number) for number in range(end_of_text)]
        super().__init__("gpt2", [*table, b""], end_of_text)
        self._encoding = encoding

    def ids_of(self, text: str) -> list[int]:
        """Treat text that spells a special token as text."""
        return list(self._encoding.encode_ordinary(text))


class BundleEncoder(TableEncoder):
    """The byte-level BPE in a bundle's `tokenizer.json`, by the `tokenizers` package."""

    def __init__(self, path: Path) -> None:
        """Load it. `prism check` is what judges the file; here it only has to work."""
        try:
            import tokenizers  # noqa: PLC0415  (only who asks for it needs it)
        except ImportError as error:
            raise LocalError(
                "The tokenizer `bundle` needs the package `tokenizers`, which this Python does not "
                "have. Run `pip install tokenizers`, or use `--tokenizer bytes`."
            ) from error
        vocabulary = _Vocabulary.load(path)
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(vocabulary.without_special)
        except Exception as error:
            raise LocalError(f"{path} cannot be loaded: {error}") from error
        super().__init__("bundle", vocabulary.table, vocabulary.end_of_text)

    def ids_of(self, text: str) -> list[int]:
        """Encode without special tokens: none is looked for in text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


@dataclass(frozen=True)
class _Vocabulary:
    """What a `tokenizer.json` says of its tokens."""

    table: list[bytes]
    end_of_text: int
    without_special: str

    @classmethod
    def load(cls, path: Path) -> "_Vocabulary":
        try:
            file: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            vocab: dict[str, int] = file["model"]["vocab"]
            special = {token["content"]: token["id"] for token in file["added_tokens"]}
            table = [b""] * (max([*vocab.values(), *special.values()]) + 1)
            inverse = {character: byte for byte, character in enumerate(_alphabet())}
            for token, number in vocab.items():
                if token not in special:
                    table[number] = bytes(inverse[character] for character in token)
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise LocalError(
                f"{path} is no byte-level BPE tokenizer: {error!r}. `prism check` says what is "
                "wrong."
            ) from error
        ends = sorted(special[name] for name in _END_OF_TEXT_NAMES & special.keys())
        if len(ends) != 1:
            raise LocalError(
                f"{path} declares {len(ends)} of the special tokens that may end a text "
                f"({', '.join(sorted(_END_OF_TEXT_NAMES))}). Declare exactly one in `added_tokens`."
            )
        return cls(table, ends[0], json.dumps(file | {"added_tokens": []}))


def _alphabet() -> list[str]:
    """Return the character of each byte in a byte-level vocabulary."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(0x100)]


def load_encoder(name: str, bundle: Path) -> Encoder:
    """Return the tokenizer of this name; `bundle` is where a `tokenizer.json` would be."""
    if name == "bytes":
        return ByteEncoder()
    if name == "gpt2":
        return Gpt2Encoder()
    if name == "bundle":
        return BundleEncoder(bundle / "tokenizer.json")
    raise LocalError(f"There is no tokenizer {name!r}. Use bytes, gpt2 or bundle.")
