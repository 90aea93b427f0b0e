"""The compiler's process: what it says of files that CPython refuses, and that it executes none."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent / "compile_bundle.py"


def compiled(directory: Path, **files: bytes) -> list[dict[str, Any]]:
    """Compile files of these names and return what is said."""
    for name, source in files.items():
        (directory / f"{name}.py").write_bytes(source)
    command = [sys.executable, "-I", "-S", "-B", str(SCRIPT), *(f"{name}.py" for name in files)]
    done = subprocess.run(  # noqa: S603
        command, cwd=directory, check=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_nothing_is_executed_and_warnings_say_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    source = f"open({str(mark)!r}, 'w')\nassert (1, 'x')\nx = '\\d'\n".encode()
    assert compiled(tmp_path, a=source, b=b"") == [{"begun": 0}, {"begun": 1}, {"done": 2}]
    assert not mark.exists()


@pytest.mark.parametrize(
    ("source", "kind", "message", "place"),
    [
        (b"def f(a, a): pass\n", "SyntaxError", "duplicate argument 'a'", (1, 10)),
        ("x = '\u00e9'; return\n".encode(), "SyntaxError", "'return' outside", (1, 10)),
        ("x = '\u00e9'; f() = 1\n".encode(), "SyntaxError", "cannot assign", (1, 10)),
        ("# coding: utf-8\n'\u00e9'; f() = 1\n".encode(), "SyntaxError", "cannot assign", (2, 6)),
        ("# coding: utf-8\n'\u00e9'; break\n".encode(), "SyntaxError", "outside loop", (2, 6)),
        ("\ufeff'\u00e9'; break\n".encode(), "SyntaxError", "outside loop", (1, 6)),
        ("\ufeff'\u00e9'; f() = 1\n".encode(), "SyntaxError", "cannot assign", (1, 6)),
        (b"if 1:\n\tx\n        y\n", "TabError", "inconsistent use of tabs", (3, None)),
        (b"x = " + b"(" * 250 + b")" * 250, "SyntaxError", "too many nested", (1, None)),
        (b"x = " + b"-" * 50_000 + b"1", "", "", None),
    ],
)
def test_a_refusal_has_cpythons_words_and_its_place(
    tmp_path: Path, source: bytes, kind: str, message: str, place: tuple[int, int | None] | None
) -> None:
    said = compiled(tmp_path, good=b"x = 1\n", bad=source, other=b"y = 2\n")
    assert [next(iter(event)) for event in said] == ["begun", "begun", "refused", "begun", "done"]
    refused = said[2]
    assert refused["refused"] == 1
    assert kind in refused["kind"]
    assert message in refused["message"]
    if place is not None:
        line, column = place
        assert refused["line"] == line
        assert column is None or refused["column"] == column
