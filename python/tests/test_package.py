"""What `pip install ./python` puts into a miner's environment."""

import subprocess
import sys
import zipfile
from pathlib import Path

PYTHON = Path(__file__).parent.parent


def test_the_wheel_is_typed_complete_and_leaves_torch_to_the_miner(tmp_path: Path) -> None:
    before = sorted(PYTHON.iterdir())
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*command, str(tmp_path)], cwd=PYTHON, check=True)  # noqa: S603  (our own)
    (wheel,) = tmp_path.glob("prism_runtime-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    wanted = {
        path.relative_to(PYTHON).as_posix()
        for package in ("prism_runtime", "prism_challenge")
        for path in (PYTHON / package).rglob("*")
        if path.suffix in {".py", ".toml", ".typed"}
    }
    assert {name for name in names if ".dist-info/" not in name} == wanted
    required = [line for line in lines if line.startswith("Requires-Dist:") and "extra" not in line]
    assert required == ["Requires-Dist: numpy"]
    # The build leaves nothing behind in the sources, which are embedded as they lie there.
    assert sorted(PYTHON.iterdir()) == before
