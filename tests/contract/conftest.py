"""Servers for the tests: one that a module shares, and fresh ones, each over a copy of a store with an open round."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from harness import looks, server
from harness.server import Server

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with an open round."""
    return server.template(tmp_path_factory.mktemp("template") / "made")


@pytest.fixture(scope="session")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that moves a server's clock."""
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    source = str(HERE / "harness" / "clock.c")
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), source, "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    return library


@pytest.fixture(scope="module")
def service(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that the tests of a module share."""
    one = server.copied(template, tmp_path_factory.mktemp("shared")).start()
    try:
        yield one
    finally:
        one.kill()


@pytest.fixture
def fresh(template: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a server with other settings, over a store that nobody else uses."""
    started: list[Server] = []

    def start(**settings: Any) -> Server:
        one = server.copied(template, tmp_path / str(len(started)), **settings)
        started.append(one)
        return one.start()

    yield start
    for one in started:
        one.kill()


class Untouched:
    """Asserts that what happens within changes nothing but the nonces that may be used up."""

    def __init__(self, of: Server, *, nonces: int = 0) -> None:
        """Look at what there is before."""
        self.of, self.nonces = of, nonces

    def __enter__(self) -> Self:
        """Look."""
        self.before = looks.look(self.of.store)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Look again."""
        if kind is None:
            expected = {"nonces": self.nonces} if self.nonces else {}
            after = looks.look(self.of.store)
            assert after.added(self.before) == expected, after.differing(self.before)


@pytest.fixture
def untouched() -> type[Untouched]:
    """Assert that nothing is stored; see `Untouched`."""
    return Untouched
