"""Entry point of every worker: `python -I -B boot.py` inside a sandbox.

Called by the referee through the sandbox with a socket on descriptor 3 and the snapshot
segment on descriptor 4. Which role the process plays comes in its CONFIG frame, not from the
command line. It must never import miner code before `prism_runtime.worker` has made the
process deterministic, and never read anything but its descriptors.
"""

import os
import sys


def main() -> None:
    """Import torch, then hand over to the worker; never returns normally."""
    # `-I` removes the directory of the script from the path, so it is put back here, alone.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import torch  # noqa: F401  (first and on purpose: it is nearly all of the start-up time)

    from prism_runtime.worker import run

    run()


if __name__ == "__main__":
    main()
