"""How much faster the gate reads than CPython: `python bench/gate.py [DIR ...]`.

Builds and runs the example `throughput` of `prism-gate` (rules included) and, interleaved with it, CPython's
`ast.parse` with a full `ast.walk` over the same files, on one core each. Prints one row for `bench/RESULTS.md`.
"""

import ast
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5


def files(roots):
    """The Python files of every bundle below the roots."""
    for root in roots:
        for entry in sorted(Path(root).rglob("architecture.py")):
            if (entry.parent / "training.py").is_file():
                yield from sorted(entry.parent.rglob("*.py"))


def cpython_seconds(texts):
    """Median of five: parse and walk everything."""
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        for text in texts:
            for _node in ast.walk(ast.parse(text)):
                pass
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main():
    """Compare, and print."""
    os.sched_setaffinity(0, {0})
    roots = sys.argv[1:] or [ROOT / "examples", ROOT / "redteam" / "honest"]
    example = ["cargo", "build", "--release", "--quiet", "-p", "prism-gate", "--example", "throughput"]
    subprocess.run(example, check=True, cwd=ROOT)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    texts = [path.read_text() for path in files(roots)]
    size = sum(len(text.encode()) for text in texts)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        output = subprocess.run(
            [target / "release" / "examples" / "throughput", *map(str, roots)], check=True, capture_output=True
        )
        measured = json.loads(output.stdout)
        ours.append(measured["bytes"] / measured["median_seconds"] / 1e6)
        theirs.append(size / cpython_seconds(texts) / 1e6)
    gate, python = statistics.median(ours), statistics.median(theirs)
    print(f"| {measured['bundles']} bundles, {size / 1e3:.0f} kB | {gate:.1f} | {python:.2f} | {gate / python:.1f} |")


if __name__ == "__main__":
    main()
