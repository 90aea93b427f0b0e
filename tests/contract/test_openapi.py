"""The description of the interface, asked in full: whatever it allows and much that it does not, by schemathesis.

No 5xx but those that are described, no undocumented status, type of content, header or field.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness import bundles, keys, looks, master, scored, wire
from harness.server import TOKEN, Server

HERE = Path(__file__).parent
SECONDS = int(os.environ.get("PRISM_CONTRACT_SECONDS", "45"))

SETTINGS = """\
# What schemathesis holds the server to, and where it may not.
[checks]
# What only a computation tells, such as a signature or the checksum of an address, no description can say.
positive_data_acceptance.enabled = false
# The signature and the token stand in headers that are made anew for half of the requests.
ignored_auth.enabled = false

[[operations]]
# A machine that cannot run submissions is not ready, and says so with 503.
include-path = "/ready"
checks.not_a_server_error.enabled = false

[[operations]]
# A raw body is an archive or it is none: any bytes are taken, and what they are is found out later.
include-path-regex = "^(/v1/precheck|/v1/submissions|/internal/v1/bridge/submissions)$"
include-method = "POST"
checks.negative_data_rejection.enabled = false

[[operations]]
# Streams end after ten minutes; test_clients.py reads them.
include-path = "/v1/submissions/{id}/events/stream"
enabled = false
"""


def test_the_description(fresh: Callable[..., Server], tmp_path: Path) -> None:
    """The server does what it says, and nothing that is asked breaks it."""
    one = fresh()
    ids = [
        master.bridge(one, keys.ALICE, bundles.bundle()).json()["id"],
        master.bridge(one, keys.fresh().ss58_address, bundles.refused_bundle()).json()["id"],
        master.bridge(one, keys.fresh().ss58_address, bundles.bundle()).json()["id"],
    ]
    looks.settle(one.store)
    one.stop()
    scored.score(one.store, ids[0], 0.4)
    one.start()
    others = [wire.get(one.address, "/v1/rounds").ok()["rounds"][0]["id"]]
    families = wire.get(one.address, "/v1/architectures").ok()["architectures"]
    others += [families[0]["architecture_id"]]
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings)),
        *("run", f"{one.url}/openapi.json", "--max-time", str(SECONDS), "--seed", "1"),
        *("--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-shrink"),
        *("--request-timeout", "20", "--no-color"),
        *("-H", f"Authorization: Bearer {TOKEN}", "-H", "X-Base-Challenge-Slug: prism"),
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(HERE),
            "SCHEMATHESIS_HOOKS": "harness.fuzz_hooks",
            "PRISM_CONTRACT_IDS": " ".join([*ids, *others]),
        },
        capture_output=True,
        text=True,
        timeout=SECONDS + 60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    assert wire.get(one.address, "/health").status == 200
    assert "panicked" not in one.log()
    looks.settle(one.store)
