"""The command line of an open run.

Used by `run` alone.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..config import Device
from .recipe import BUILT_IN
from .tokens import NAMES

DESCRIPTION: Final = """\
Run a bundle's two scripts in the open, to debug them: `breakpoint()`, `print` and any debugger
work. The text, the shapes, the seeds and `ctx` are those of a run. Nothing is audited and nothing
is confined: what it prints is no measurement, and the scripts can do whatever you can.
"""


@dataclass(frozen=True)
class Options:
    """What was asked for; None leaves a choice to recipe or bundle."""

    bundle: Path
    text: Path
    recipe: str
    seed: int
    device: Device | None
    tokenizer: str | None
    seq_len: int | None
    batch_size: int | None
    steps: int | None
    max_bytes: int | None
    threads: int | None
    every: int | None
    pdb: bool


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line; ends the process with 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m prism_runtime.local",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("bundle", type=Path, metavar="DIR", help="the bundle: a directory with the two scripts")
    add(
        "--text",
        type=Path,
        required=True,
        metavar="FILE",
        help="a file of plain text, or a locked corpus, of which train is read",
    )
    add(
        "--recipe",
        default="demo",
        metavar="NAME|FILE",
        help=f"the constants: {', '.join(BUILT_IN)} or the path of a file (default: demo)",
    )
    add("--seed", type=_seed, default=0, metavar="N", help="the forced seed (default: 0)")
    add("--device", choices=("cpu", "cuda"), help="where the model runs (default: the recipe's)")
    add(
        "--tokenizer",
        choices=NAMES,
        help="another tokenizer than `prism.yaml` declares, which is bytes where it declares none",
    )
    add(
        "--seq-len",
        type=_positive,
        metavar="T",
        help="targets in a row, instead of what the script asks for",
    )
    add(
        "--batch-size",
        type=_positive,
        metavar="B",
        help="rows of a batch, instead of what the script asks for",
    )
    add("--steps", type=_positive, metavar="N", help="end the stream after so many batches")
    add(
        "--max-bytes", type=_positive, metavar="N", help="read so much text (default: the recipe's)"
    )
    add("--threads", type=_positive, metavar="N", help="threads of torch (default: the recipe's)")
    add(
        "--every",
        type=_positive,
        metavar="N",
        help="print every Nth batch (default: 20 lines in all)",
    )
    add("--pdb", action="store_true", help="start the debugger where a script fails")
    given = parser.parse_args(arguments)
    return Options(**vars(given))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**64:
        raise argparse.ArgumentTypeError(f"{text} is not 0 to 2^64 - 1")
    return number
