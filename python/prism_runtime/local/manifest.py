"""What `prism.yaml` says of tokenizer and scripts.

Called by `run`. It reads the few forms that a manifest has and refuses all others, so that no YAML
library is needed; `prism check` is what judges a manifest.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .errors import LocalError

MANIFEST: Final = "prism.yaml"

_SECTIONS: Final = ("entrypoints", "architecture", "training")


@dataclass(frozen=True)
class Manifest:
    """The parts of a manifest that decide how a bundle runs."""

    tokenizer: str = "bytes"
    architecture: str = "architecture.py"
    training: str = "training.py"


def read_manifest(bundle: Path) -> Manifest:
    """Read `prism.yaml`; a bundle without one has the defaults."""
    path = bundle / MANIFEST
    if not path.is_file():
        return Manifest()
    try:
        keys = _keys(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise LocalError(f"{path} cannot be read: {error}") from error
    default = Manifest()
    architecture = keys.get("entrypoints.architecture") or keys.get("architecture.entrypoint")
    training = keys.get("entrypoints.training") or keys.get("training.entrypoint")
    return Manifest(
        tokenizer=keys.get("tokenizer") or default.tokenizer,
        architecture=architecture or default.architecture,
        training=training or default.training,
    )


def _keys(text: str) -> dict[str, str]:
    """Return the values of top-level keys, and those one level below as `section.key`."""
    found: dict[str, str] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if not content or content.startswith(("#", "---")):
            continue
        is_inner = line[0] in " \t"
        if is_inner and section not in _SECTIONS:
            continue  # a longer description, say
        key, separator, value = content.partition(":")
        if not separator:
            raise ValueError(f"line {number} is no `key: value`")
        key, value = key.strip().strip("'\""), _scalar(value)
        if not is_inner:
            section = key
        prefix = f"{section}." if is_inner else ""
        if value.startswith("{"):
            found |= {f"{key}.{name}": inner for name, inner in _flow(value, number)}
        else:
            found[prefix + key] = value
    return found


def _flow(value: str, number: int) -> list[tuple[str, str]]:
    """Split `{a: b, c: d}`."""
    if not value.endswith("}"):
        raise ValueError(f"the braces of line {number} do not end on it")
    pairs = []
    for part in filter(None, (part.strip() for part in value[1:-1].split(","))):
        name, separator, inner = part.partition(":")
        if not separator:
            raise ValueError(f"line {number} has no `key: value` in its braces")
        pairs.append((name.strip().strip("'\""), _scalar(inner)))
    return pairs


def _scalar(value: str) -> str:
    """Take comment and quotation marks off a value."""
    value = value.strip()
    for quote in ("'", '"'):
        if value.startswith(quote) and quote in value[1:]:
            return value[1 : value.index(quote, 1)]
    return value.split(" #", 1)[0].strip()
