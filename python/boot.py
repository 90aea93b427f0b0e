"""Entry point of every worker: `python -P -s -B boot.py` with PYTHONHASHSEED=0, inside a sandbox.

Called by the referee through the sandbox with a socket on descriptor 3 and the snapshot
segment on descriptor 4. Which role the process plays comes in its CONFIG frame, not from the
command line. It must never import miner code before `prism_runtime.worker` has made the
process deterministic, and never read anything but its descriptors.
"""

import os
import sys


def main() -> None:
    """Import torch, then hand over to the worker; never returns normally."""
    if sys.flags.hash_randomization:
        restart_with_fixed_hashes()
    # `-P` keeps the directory of the script off the path, so it is put there here, alone.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import torch  # noqa: F401  (first and on purpose: it is nearly all of the start-up time)

    from prism_runtime.worker import run

    run()


def restart_with_fixed_hashes() -> None:
    """Replace this process by one whose sets of strings always have the same order.

    Never needed as the referee starts it: only without PYTHONHASHSEED, or with `-I`, which ignores
    it, would the order differ from run to run. No variable of Python but this one is kept, as with
    `-I`. Costs a few milliseconds, since torch is not imported yet.
    """
    environment = {name: v for name, v in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONHASHSEED"] = "0"
    arguments = [sys.executable, "-P", "-s", "-B", os.path.abspath(__file__)]
    os.execve(sys.executable, arguments, environment)


if __name__ == "__main__":
    main()
