"""Tell PRISM about the interpreter that runs this.

Run as `python -I -c <this text>` with a time limit; the answer is one line of JSON behind a marker, because code that
an installation runs at start-up may print, too. It must not import torch, which takes seconds.
"""

import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import sysconfig


def version(name):
    """Return the version of an installed package."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def locations(name):
    """Return the directories of a package, without importing it."""
    spec = importlib.util.find_spec(name)
    return list(spec.submodule_search_locations or []) if spec else []


def mapped_libraries():
    """Return the libraries that the interpreter and its commonest extension modules have loaded."""
    for name in ("_bz2", "_ctypes", "_hashlib", "_lzma", "_ssl", "_sqlite3", "_uuid", "zlib"):
        try:
            __import__(name)
        except ImportError:
            pass
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        paths = {line.split(maxsplit=5)[5].rstrip("\n") for line in maps if len(line.split(maxsplit=5)) == 6}
    return sorted(path for path in paths if ".so" in os.path.basename(path) and os.path.exists(path))


answer = {
    "implementation": platform.python_implementation(),
    "version": list(sys.version_info[:3]),
    "machine": platform.machine(),
    "libc": list(platform.libc_ver()),
    "executable": sys.executable,
    "prefixes": [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix],
    "paths": [path for path in sys.path if path],
    "stdlib": [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")],
    "packages": locations("torch") + locations("numpy") + locations("einops"),
    "libraries": mapped_libraries(),
    # Some distributions ship these two apart.
    "venv": all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")),
    "torch": version("torch"),
    "numpy": version("numpy"),
    "einops": version("einops"),
}
print("PRISM-PROBE " + json.dumps(answer))
