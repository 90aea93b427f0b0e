#!/usr/bin/env bash
# The contract suite: asks the real binary's server over real sockets, from outside. Needs CPython 3.11 or newer, a C
# compiler, root, and a release build (made here if it is not there); no PyTorch, and no network but PyPI's.
#
#   bash tests/contract/run.sh                   # everything, under three minutes
#   bash tests/contract/run.sh -k bridge         # arguments go to pytest
#   PRISM_CONTRACT_SECONDS=120 bash ...          # how long the description is fuzzed; 45 if not set
#   PRISM_CONTRACT_UPLOADS=1000 bash ...         # uploads that come at once; 1000 if not set
#   PRISM_CONTRACT_BINARY=/path/prism bash ...   # another binary than the release build of this checkout
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

if [ -z "${PRISM_CONTRACT_BINARY:-}" ]; then
    (cd "$root" && cargo build --release --quiet --bin prism)
    export PRISM_CONTRACT_BINARY=$target/release/prism
fi

venv=$target/contract-venv
stamp=$venv/requirements.txt
if ! cmp -s "$here/requirements.txt" "$stamp"; then
    rm -rf "$venv"
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$stamp"
fi

# A thousand uploads at once are a thousand connections of this process.
ulimit -n "$(ulimit -H -n)" || true
export PYTHONDONTWRITEBYTECODE=1
cd "$here"
exec "$venv/bin/python" -m pytest "$@"
