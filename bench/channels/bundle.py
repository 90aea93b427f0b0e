"""Puts a bundle of the laboratory together: the kit, one road, its settings and the machine code.

Used by `run.py` and `alone.py`.
"""

import platform
import re
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
KIT = ("architecture.py", "training.py", "lab.py", "system.py", "machine.py", "windows.py")
# Of the Python runtime: large, and nothing opens it while a model without CUDA or a compiler runs.
COLD_FILE = "lib/python3.11/site-packages/triton/backends/amd/lib/libtriton_amd_codegen.so"
FLAGS = (
    "-O2 -fPIC -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -fno-tree-vectorize"
).split()


class Skipped(Exception):
    """The road cannot be tried on this machine."""


def road_names():
    """All roads, controls first."""
    names = sorted(path.stem for path in (HERE / "roads").glob("*.py"))
    return sorted(names, key=lambda name: name not in ("weights", "silence"))


def traits(name):
    """What a road says about itself, without running it."""
    text = (HERE / "roads" / f"{name}.py").read_text()
    found = {
        "title": text.split('"""', 2)[1].strip(),
        "machine": bool(re.search(r"^import (machine|windows)$", text, re.M)),
    }
    for constant in ("BITS", "SYMBOL_BITS", "REVERSED", "CARRIED", "COLD", "SENDER_RUNS"):
        match = re.search(rf"^{constant} = (\w+)$", text, re.MULTILINE)
        found[constant.lower()] = {"True": True, None: None}.get(
            match and match[1], match and match[1]
        )
    found["bits"] = int(found["bits"])
    found["symbol_bits"] = int(found["symbol_bits"] or 1)
    # A symbol that is told by the common clock lies on a circle of all of its levels.
    found["circle"] = 1 << found["symbol_bits"] if "\nCIRCLE =" in text else 0
    return found


def machine_code():
    """The compiled `machine.c` and the place of each function in it."""
    if platform.machine() != "x86_64":
        raise Skipped(f"machine code for {platform.machine()} is not written")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not (compiler and shutil.which("objcopy") and shutil.which("nm")):
        raise Skipped("no C compiler")
    with tempfile.TemporaryDirectory() as temp:
        compiled, flat = Path(temp, "machine.o"), Path(temp, "machine.bin")
        subprocess.run([compiler, *FLAGS, "-c", "-o", compiled, HERE / "kit/machine.c"], check=True)
        subprocess.run(
            ["objcopy", "-O", "binary", "--only-section=.text", compiled, flat], check=True
        )
        symbols = subprocess.run(
            ["nm", compiled], check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        code = flat.read_bytes()
    offsets = {}
    for line in symbols.splitlines():
        *place, kind, symbol = line.split()
        if kind == "U":
            raise RuntimeError(f"machine.c wants {symbol} from elsewhere")
        if kind == "T":
            offsets[symbol] = int(place[0], 16)
    return code, offsets


def assemble(place, name, extra=()):
    """Write the bundle of a road into a new directory."""
    place.mkdir()
    for file in (*KIT, *extra):
        shutil.copy(HERE / "kit" / file, place / file)
    shutil.copy(HERE / "roads" / f"{name}.py", place / "road.py")
    # What an earlier run has left behind must not be taken for what this one sends.
    values = {"COLD_FILE": COLD_FILE, "SALT": secrets.token_hex(8)}
    lines = "".join(f"{key} = {value!r}\n" for key, value in values.items())
    (place / "settings.py").write_text('"""Written by bundle.py."""\n\n' + lines)
    if traits(name)["machine"]:
        code, offsets = machine_code()
        text = f'"""`machine.c`, compiled."""\n\nCODE = bytes.fromhex(\n    "{code.hex()}"\n)\nOFFSETS = {offsets!r}\n'
        (place / "code_of_machine.py").write_text(text)
    return place
