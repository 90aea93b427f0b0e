"""Write `runtime.lock.txt`, the pinned packages of PRISM's Python runtime.

Run by hand, by whoever changes a version, with pip >= 23.1 and `packaging` installed::

    python lock.py            # writes runtime.lock.txt beside this file
    python lock.py --check    # exit code 1 where the file differs from what would be written

The lock serves several interpreters and machines at once. pip resolves only for the machine that it runs on: it
takes the tags of its wheels from the command line, but reads environment markers with its own interpreter. So this
script resolves by itself: for each target it asks pip for one report about the packages wanted so far, without their
dependencies, reads what those packages require, evaluates the markers for the target, and repeats until nothing new
is wanted. Where the packages come from is the business of pip's own configuration; no address enters the lock.

Nothing in PRISM imports this file, and it is not part of the sources that PRISM installs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOTS = ("torch==2.15.0", "numpy>=2,<3", "einops>=0.8,<1")
"""What miners may import. Everything else in the lock is there because one of these requires it."""

PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")

MANYLINUX_MINORS = range(28, 16, -1)
"""Wheels for glibc 2.28 and older are taken; every supported distribution has that one or a newer."""

MAX_ROUNDS = 20
LOCK = Path(__file__).with_name("runtime.lock.txt")

HEADER = f"""\
# The packages of PRISM's Python runtime, for CPython {", ".join(PYTHONS)} on Linux {" and ".join(MACHINES)}.
# Written by lock.py; change ROOTS there and run it again instead of editing this file.
# Wanted: {", ".join(ROOTS)}. Everything else is required by those.
"""


@dataclass(frozen=True, order=True)
class Target:
    """One interpreter on one machine."""

    python: str
    machine: str

    @property
    def environment(self) -> dict[str, str]:
        """The values of environment markers there."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }

    @property
    def pip_options(self) -> list[str]:
        """What makes pip look for wheels of this target instead of its own."""
        abi = "cp" + self.python.replace(".", "")
        options = ["--implementation", "cp", "--python-version", self.python]
        for name in (abi, "abi3", "none"):
            options += ["--abi", name]
        platforms = [f"manylinux_2_{minor}_{self.machine}" for minor in MANYLINUX_MINORS]
        for name in (*platforms, f"manylinux2014_{self.machine}", f"linux_{self.machine}"):
            options += ["--platform", name]
        return options


@dataclass
class Wanted:
    """What is asked of one package so far."""

    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    extras: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """The wheel that answers it."""

    version: str
    sha256: str
    requires: tuple[str, ...]


def ask_pip(target: Target, wanted: dict[str, Wanted]) -> dict[str, Found]:
    """Return the newest allowed wheel of each package, without looking at dependencies."""
    requirements = [f"{name}{entry.specifier}" for name, entry in sorted(wanted.items())]
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.json")
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--dry-run",
            "--ignore-installed",
            "--no-deps",
        ]
        command += [
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
            "--report",
            str(report),
        ]
        command += ["--target", str(Path(scratch, "target")), *target.pip_options, *requirements]
        subprocess.run(command, check=True)  # noqa: S603  (no shell, and no words but ours)
        installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    found: dict[str, Found] = {}
    for install in installs:
        metadata = install["metadata"]
        found[canonicalize_name(metadata["name"])] = Found(
            version=metadata["version"],
            sha256=install["download_info"]["archive_info"]["hashes"]["sha256"],
            requires=tuple(metadata.get("requires_dist", [])),
        )
    return found


def merge(into: dict[str, Wanted], requirement: Requirement) -> None:
    """Add a requirement to what is wanted."""
    entry = into.setdefault(canonicalize_name(requirement.name), Wanted())
    entry.specifier &= requirement.specifier
    entry.extras |= requirement.extras


def required(target: Target, text: str, extras: Iterable[str]) -> Requirement | None:
    """Return a package's requirement if it holds for the target with any of the extras."""
    requirement = Requirement(text)
    marker = requirement.marker
    if marker is None:
        return requirement
    holds = any(marker.evaluate({**target.environment, "extra": extra}) for extra in ("", *extras))
    return requirement if holds else None


def resolve(target: Target, pins: dict[str, str]) -> dict[str, Found]:
    """Return the closure of the roots for a target; versions that are pinned already are kept."""
    wanted: dict[str, Wanted] = {}
    for _ in range(MAX_ROUNDS):
        found = ask_pip(target, wanted) if wanted else {}
        following: dict[str, Wanted] = {}
        for root in ROOTS:
            merge(following, Requirement(root))
        for name, package in sorted(found.items()):
            for text in package.requires:
                requirement = required(target, text, wanted[name].extras)
                if requirement is not None:
                    merge(following, requirement)
        for name, entry in following.items():
            if name in pins:
                entry.specifier &= SpecifierSet(f"=={pins[name]}")
        if following == wanted:
            return found
        wanted = following
    message = f"no resolution for {target} after {MAX_ROUNDS} rounds"
    raise RuntimeError(message)


def marker_for(targets: set[Target], everywhere: set[Target]) -> str:
    """Return the marker that holds for exactly these of all targets."""
    if targets == everywhere:
        return ""
    machines = {target.machine for target in targets}
    if targets == {target for target in everywhere if target.machine in machines}:
        return " or ".join(f'platform_machine == "{machine}"' for machine in sorted(machines))
    return " or ".join(
        f'(python_version == "{target.python}" and platform_machine == "{target.machine}")'
        for target in sorted(targets)
    )


def lock() -> str:
    """Return the text of the lock file."""
    everywhere = {Target(python, machine) for python in PYTHONS for machine in MACHINES}
    pins: dict[str, str] = {}
    packages: dict[tuple[str, str], dict[Target, str]] = {}
    for target in sorted(everywhere):
        sys.stderr.write(f"resolving for CPython {target.python} on {target.machine}\n")
        for name, package in resolve(target, pins).items():
            # The oldest interpreter comes first; what it can run is kept for all others.
            pins.setdefault(name, package.version)
            packages.setdefault((name, package.version), {})[target] = package.sha256
    lines = [HEADER]
    for (name, version), hashes in sorted(packages.items()):
        marker = marker_for(set(hashes), everywhere)
        condition = f" ; {marker}" if marker else ""
        entry = [f"{name}=={version}{condition}"]
        entry += [f"    --hash=sha256:{digest}" for digest in sorted(set(hashes.values()))]
        lines.append(" \\\n".join(entry) + "\n")
    return "".join(lines)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Writes runtime.lock.txt.")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit with 1 where the file would change",
    )
    check: bool = parser.parse_args().check
    text = lock()
    if check:
        return int(not LOCK.is_file() or LOCK.read_text(encoding="utf-8") != text)
    LOCK.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
