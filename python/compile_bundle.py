"""Entry point of the compiler's process: `python -I -S -B compile_bundle.py FILE...`, in a sandbox.

Called by the engine before anything of a bundle is imported, with the bundle's directory as the
working directory and the paths of its Python files within it. It compiles each file as an import
would and executes none. What it finds goes to stdout, a line of JSON an event: `{"begun": 0}`
before a file, `{"refused": 0, ...}` where CPython refuses it, `{"done": N}` after the last one. So
whoever reads knows which file it was that ended the process. It must never import anything of
the bundle.
"""

import ast
import json
import re
import sys
import warnings
from typing import Final

# Of CPython's message, which quotes the source.
_MESSAGE_MAX_CHARS: Final = 400
# No file of this name is there, so that CPython looks for no line in one: that moves columns.
_NAME: Final = "<bundle>"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_DECLARED_ENCODING: Final = re.compile(rb"[ \t\f]*#.*?coding[:=]")


def main(paths: list[str]) -> None:
    """Compile every file and say of each that is refused where and why."""
    # A run does not fail for a warning either.
    warnings.simplefilter("ignore")
    for number, path in enumerate(paths):
        _say({"begun": number})
        with open(path, "rb") as file:
            source = file.read()
        try:
            compile(source, _NAME, "exec", dont_inherit=True)
        except Exception as error:
            _say({"refused": number, **described(error, source)})
    _say({"done": len(paths)})


def described(error: Exception, source: bytes) -> dict[str, object]:
    """Return what is wrong in CPython's words, and where: lines and columns from 1, or null."""
    text, place = str(error), dict[str, int | None]()
    if isinstance(error, SyntaxError):
        text = str(error.msg)
        lines = _lines(source) if _counts_bytes(source) else []
        place = {
            "line": _number(error.lineno),
            "column": _column(lines, error.lineno, error.offset),
            "end_line": _number(error.end_lineno),
            "end_column": _column(lines, error.end_lineno, error.end_offset),
        }
    return {"kind": type(error).__name__, "message": text[:_MESSAGE_MAX_CHARS], **place}


def _counts_bytes(source: bytes) -> bool:
    """Whether the columns of this source's error are bytes.

    That differs by version, by the declared encoding and by whether the parser complains or what
    comes after it. So CPython is asked about an error in a place that is known.
    """
    probe = b"'\xc3\xa9'; return" if _parses(source) else b"'\xc3\xa9'; f() = 1"
    if any(_DECLARED_ENCODING.match(line) for line in source.splitlines()[:2]):
        probe = b"# coding: utf-8\n" + probe
    if source.startswith(_BYTE_ORDER_MARK):
        probe = _BYTE_ORDER_MARK + probe
    try:
        compile(probe, _NAME, "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.offset == 7
    return False


def _parses(source: bytes) -> bool:
    try:
        compile(source, _NAME, "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
    except Exception:
        return False
    return True


def _lines(source: bytes) -> list[bytes]:
    return source.removeprefix(_BYTE_ORDER_MARK).splitlines()


def _column(lines: list[bytes], line: object, column: object) -> int | None:
    """Return a column in characters; it is one in bytes of `lines`, where there are any."""
    number, row = _number(column), _number(line)
    if number is None or row is None or row > len(lines):
        return number
    return len(lines[row - 1][: number - 1].decode("utf-8", "replace")) + 1


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 1 else None


def _say(event: dict[str, object]) -> None:
    # At once: the next file may be the end of this process.
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
