"""A look into a store from outside: every row of every table, every file of the folder of blobs. Never writes.

After a refusal both must be as they were. The file is opened read-only while the server writes it.
"""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Stages in which the service still works on a submission by itself.
IN_CHECKS = ("received", "contract", "gate", "similarity", "review")
SETTLE_SECONDS = 60
DATABASE = "prism.sqlite3"

# Why something waits: the service writes that anew whenever what it waits for changes.
OF_WAITING = {"wait", "wait_sentence", "waiting_since", "updated_at"}

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Look:
    """What there was."""

    tables: dict[str, frozenset[Row]]
    blobs: dict[str, int]
    attempts: frozenset[str]

    def added(self, before: "Look") -> dict[str, int]:
        """How many rows and files are new or changed since; nothing where all is as it was."""
        counts = {
            name: len(rows ^ before.tables[name]) for name, rows in self.tables.items() if rows != before.tables[name]
        }
        if self.blobs != before.blobs:
            counts["blobs"] = len(set(self.blobs.items()) ^ set(before.blobs.items()))
        if self.attempts != before.attempts:
            counts["attempt directories"] = len(self.attempts ^ before.attempts)
        return counts

    def differing(self, before: "Look") -> str:
        """What is new or changed, for whoever reads a failure."""
        rows = [
            f"{name}: {row}"
            for name in self.tables
            for row in sorted(self.tables[name] ^ before.tables[name], key=repr)
        ]
        return "\n".join(row[:1000] for row in rows[:10])


def query(store: Path, text: str, *values: object) -> list[Row]:
    """Ask the database of a store, read-only."""
    with closing(sqlite3.connect(f"file:{store / DATABASE}?mode=ro", uri=True, timeout=30)) as base:
        return base.execute(text, values).fetchall()


def blobs(store: Path) -> dict[str, int]:
    """Return every file below the folder of blobs with its size, half written ones too."""
    found = {}
    for path in (store / "blobs").rglob("*"):
        try:
            if path.is_file():
                found[str(path.relative_to(store / "blobs"))] = path.stat().st_size
        except FileNotFoundError:
            continue
    return found


def settle(store: Path) -> None:
    """Wait until the checks have nothing left to do."""
    marks = ", ".join("?" * len(IN_CHECKS))
    end = time.monotonic() + SETTLE_SECONDS
    text = f"SELECT count(*) FROM submissions WHERE stage IN ({marks})"  # noqa: S608
    while query(store, text, *IN_CHECKS)[0][0]:
        assert time.monotonic() < end, "the checks never came to an end"
        time.sleep(0.02)


def rows(base: sqlite3.Connection, table: str) -> list[Row]:
    """Return every row of a table, but for the columns of waiting."""
    columns = [row[1] for row in base.execute(f'PRAGMA table_info("{table}")')]
    names = ", ".join(f'"{name}"' for name in columns if name not in OF_WAITING)
    return base.execute(f'SELECT {names} FROM "{table}"').fetchall()  # noqa: S608


def look(store: Path) -> Look:
    """Look at everything, once the service has nothing left to do by itself."""
    settle(store)
    with closing(sqlite3.connect(f"file:{store / DATABASE}?mode=ro", uri=True, timeout=30)) as base:
        base.execute("BEGIN")
        names = [name for (name,) in base.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        tables = {name: frozenset(rows(base, name)) for name in names}
    attempts = store / "attempts"
    directories = {path.name for path in attempts.iterdir()} if attempts.is_dir() else set()
    return Look(tables, blobs(store), frozenset(directories))
