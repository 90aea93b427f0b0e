#!/usr/bin/env bash
# Format, lint, types and tests of the Python runtime; of the contract suite format and lint. Uses the runtime that
# `prism runtime install` made, with the tools of requirements-dev.txt in a virtual environment of their own under target/.
set -euo pipefail
cd "$(dirname "$0")"

prism=(cargo run --quiet --release --)
"${prism[@]}" runtime install >/dev/null
runtime_python=$("${prism[@]}" runtime path)
venv=../target/python-dev
[ -x "$venv/bin/python" ] || "$runtime_python" -m venv "$venv"
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
"$runtime_python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' > "$site/prism-runtime.pth"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt

export PATH="$PWD/$venv/bin:$PATH"
ruff format --check . ../tests/contract
ruff check . ../tests/contract
mypy
pytest -q
