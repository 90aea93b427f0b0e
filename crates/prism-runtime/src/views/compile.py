"""Entry point: `python -I -S -B -c ... ROOT`, the paths of modules on standard input, a zero byte between two.

Called by the views. Compiles modules below a directory as if the directory were the root of the file system: what a sandbox
shows under `/usr` lies below `ROOT/usr`, and its compiled form says `/usr`. A file that is no Python is passed over, since
nothing can import it; any other failure ends everything with a line that says what and where. Imports nothing of what it
compiles.
"""

import os
import py_compile
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor


def compiled(root: str, path: str) -> None:
    """Write the compiled form of one module beside it, readable for everybody."""
    try:
        written = py_compile.compile(
            path,
            dfile=path.removeprefix(root),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP,
        )
    except (py_compile.PyCompileError, ValueError, RecursionError, MemoryError):
        return
    os.chmod(written, 0o444)


def main() -> None:
    """Compile all files on all processors."""
    root = sys.argv[1]
    paths = [os.fsdecode(path) for path in sys.stdin.buffer.read().split(b"\0")]
    os.umask(0o022)
    warnings.simplefilter("ignore")
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(compiled, [root] * len(paths), paths, chunksize=64):
            pass


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")
