"""What the text that a learner can read before its stream is worth, in bits per byte.

    python3 bench/text_inside.py --text FILE               # with the views of the runtime, which any run has made

The bundle `redteam/pretrains-on-the-runtime` collects all prose below the interpreter's directories and `/usr`, trains on it
and then on the stream. It runs in the open (`python -m prism_runtime.local`), with the model of `examples/transformer-small`:
once without that, once with the text of the runtime as it is installed, once with the text of the learner's view. What both
have of `/usr/lib` belongs to both.
"""

import argparse
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share")) / "prism"


def only(paths: list[Path]) -> Path:
    if len(paths) != 1:
        raise SystemExit(f"expected one directory, found {len(paths)}: {[str(path) for path in paths]}")
    return paths[0]


def run(python: Path, bundle: Path, options: argparse.Namespace, places: list[str], steps: int) -> tuple[int, float]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "python"),
        "PRISM_TEXT_PLACES": ":".join(places),
        "PRISM_TEXT_STEPS": str(steps),
        "PRISM_TEXT_LR": "3e-3",
    }
    command = [python, "-m", "prism_runtime.local", bundle, "--text", options.text, "--max-bytes", str(options.max_bytes)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    prose = re.search(r"(\d+) bytes of prose", said)
    bits = re.search(r"^read .*: ([0-9.]+) bits per byte$", said, re.MULTILINE)
    if prose is None or bits is None:
        raise SystemExit(f"the run said something else:\n{said[-2000:]}")
    return int(prose[1]), float(bits[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("--max-bytes", type=int, default=200_000)
    parser.add_argument("--steps", type=int, default=600)
    options = parser.parse_args()
    python = only(sorted((DATA / "runtime").glob("*/bin/python")))
    prefixes = subprocess.run(
        [python, "-c", "import sys; print(sys.prefix, sys.base_prefix, sep='\\n')"], capture_output=True, text=True, check=True
    ).stdout.split("\n")[:2]
    system = [str(path) for pattern in ("gcc", "*-linux-gnu") for path in Path("/usr/lib").glob(pattern)]
    view = only([path / "learner" for path in (DATA / "views").iterdir() if (path / "learner").is_dir()])
    with tempfile.TemporaryDirectory(prefix="prism-bench-") as temporary:
        bundle = Path(temporary) / "bundle"
        shutil.copytree(ROOT / "redteam/pretrains-on-the-runtime", bundle)
        shutil.copy(ROOT / "examples/transformer-small/architecture.py", bundle)
        print("| text | prose, MB | bits per byte |\n| --- | ---: | ---: |")
        for what, places, steps in (
            ("none", [], 0),
            ("as installed", [*prefixes, "/usr/include", *system], options.steps),
            ("the learner's view", [str(view), *system], options.steps),
        ):
            prose, bits = run(python, bundle, options, places, steps)
            print(f"| {what} | {prose / 1e6:.2f} | {bits:.4f} |", flush=True)


if __name__ == "__main__":
    main()
