"""What the operator does beside the miners: the admin socket, a pause that lasts, a clock that is set back."""

import http.server
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bittensor_wallet import Keypair

from harness import bundles, keys, looks, master, server, wire
from harness.server import Server

HOUR = 3600


def test_a_pause_survives_a_restart(fresh: Callable[..., Server]) -> None:
    """Also one that nobody announced; and it goes on when it is told to."""
    one = fresh()
    one.operator("admin", "pause")
    sent = master.bridge(one, keys.fresh().ss58_address, bundles.bundle()).json()
    looks.settle(one.store)

    def halted() -> Any:
        found = wire.get(one.address, "/v1/queue").ok()["halted"]
        return None if found is None else found["code"]

    wire.eventually(lambda: halted() == "paused" or None)
    for end in (one.stop, one.kill):
        end()
        one.start()
        wire.eventually(lambda: halted() == "paused" or None)
        found = wire.get(one.address, f"/v1/submissions/{sent['id']}").ok()
        assert (found["status"], found["reason"]) == ("pending", "paused")
    one.operator("admin", "resume")
    wire.eventually(lambda: halted() != "paused" or None)
    one.kill()
    one.start()
    wire.eventually(lambda: halted() == "no_executor" or None)


def test_a_client_that_says_nothing_blocks_no_operator(fresh: Callable[..., Server]) -> None:
    """The admin socket answers others while somebody holds it; who comes when it is full is told so."""
    one = fresh()
    silent = []
    for _ in range(8):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(one.store / "admin.sock"))
        connection.send(b'{"do":')
        silent.append(connection)
    begun = time.monotonic()
    assert one.operator("round", "list")["rounds"][0]["name"] == "contract"
    assert time.monotonic() - begun < 5
    for _ in range(16):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(one.store / "admin.sock"))
        silent.append(connection)
    said = []
    for connection in silent[8:]:
        connection.settimeout(0.5)
        try:
            said.append(connection.recv(4096))
        except TimeoutError:
            continue
    assert any(b"too many" in answer for answer in said)
    for connection in silent:
        connection.close()
    wire.eventually(
        lambda: (
            server.prism("round", "list", "--json", "--dir", str(one.store), environment=one.environment).returncode
            == 0
            or None
        )
    )
    mode = (one.store / "admin.sock").stat().st_mode & 0o777
    assert mode == 0o600


def test_no_administration_over_tcp(service: Server, untouched) -> None:
    """What the admin socket understands is nothing to the interface."""
    with untouched(service):
        for path in ("/", "/v1/admin", "/admin", "/v1/rounds"):
            answer = wire.ask(service.address, "POST", path, master.headers(), b'{"do":"pause"}')
            assert answer.status in {404, 405}


def test_who_came_first_is_senior_whatever_the_clock_does(fresh: Callable[..., Server], clock: Path) -> None:
    """A clock that is set back, under a running server and over a restart, makes nobody older than who came before."""
    one = fresh(clock=clock)
    ids = []
    for at, jump in enumerate([0, HOUR, 0, -HOUR, 1, 2 * HOUR]):
        one.set_clock(jump)
        if at == 4:
            one.kill()
            one.start()
        body = bundles.empty_zip(b"%d" % at)
        key = keys.fresh()
        headers = keys.upload_headers(key, body, at=str(int(time.time()) + jump))
        sent = wire.ask(one.address, "POST", "/v1/submissions", headers, body).ok()
        ids.append(sent["id"])
    times = [wire.get(one.address, f"/v1/submissions/{each}").ok()["created_at"] for each in ids]
    assert times == sorted(set(times)), "each later than the one before"
    listed = wire.get(one.address, "/v1/submissions").ok()["submissions"]
    assert [each["id"] for each in listed] == ids[::-1]


def test_a_nonce_stays_used_whatever_the_clock_does(fresh: Callable[..., Server], clock: Path) -> None:
    """A clock that jumps an hour ahead and comes back lets no request in a second time."""
    one = fresh(clock=clock)
    key, body, used = keys.fresh(), bundles.bundle(), keys.nonce()
    headers = keys.upload_headers(key, body, used=used)
    first = wire.ask(one.address, "POST", "/v1/submissions", headers, body).ok()
    one.set_clock(HOUR)
    assert wire.ask(one.address, "POST", "/v1/submissions", headers, body).status == 401
    one.kill()
    one.start()
    one.set_clock(0)
    assert wire.ask(one.address, "POST", "/v1/submissions", headers, body).ok()["id"] == first["id"]
    other = bundles.bundle()
    again = keys.upload_headers(key, other, used=used)
    assert wire.ask(one.address, "POST", "/v1/submissions", again, other).status == 409


def test_submit_through_base(fresh: Callable[..., Server], tmp_path: Path) -> None:
    """Our client signs what the master verifies: with the wallet's library, over the bytes that came."""
    came: list[tuple[str, dict[str, str], bytes]] = []

    class Master(http.server.BaseHTTPRequestHandler):
        """A master that takes one upload and hands nothing over."""

        def do_POST(self) -> None:
            """Keep the request and answer as the service would."""
            body = self.rfile.read(int(self.headers["content-length"]))
            sent = {name.lower(): value for name, value in self.headers.items()}
            came.append((self.path, sent, body))
            answer = master.bridge(one, sent["x-hotkey"], body).content
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    one = fresh()
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Master)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "architecture.py").write_text(bundles.ARCHITECTURE.format(number=1, width=8, scale=1))
    (bundle / "training.py").write_text(bundles.TRAINING.format(rows=4))
    key = tmp_path / "key.json"
    environment = one.environment
    made = server.prism("key", "new", "--out", str(key), environment=environment)
    assert made.returncode == 0, made.stderr
    url = f"http://127.0.0.1:{listening.server_port}"
    done = server.prism(
        *("submit", str(bundle), "--json", "--via-base", "--key", str(key), "--url", url),
        environment=environment,
    )
    listening.shutdown()
    listening.server_close()
    assert done.returncode == 0, done.stderr
    path, sent, body = came[0]
    assert path == "/v1/challenges/prism/submissions"
    text = (
        f"base-upload-v1:100:prism:POST:{path}:{sent['x-hotkey']}:{sent['x-nonce']}:"
        f"{sent['x-timestamp']}:{keys.sha256(body)}"
    )
    signature = bytes.fromhex(sent["x-signature"].removeprefix("0x"))
    assert Keypair(ss58_address=sent["x-hotkey"]).verify(text.encode(), signature)
    assert json.loads(done.stdout)["hotkey"] == sent["x-hotkey"]
