"""Section 1 of the master's requests: it starts as the master starts it, and says what it is."""

import shlex
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from harness import keys, server, wire
from harness.server import Server

# What the master sets, known to the service or not.
MASTERS_ENVIRONMENT = {
    "PRISM_SHARED_TOKEN": None,
    "PRISM_DOCKER_ENABLED": "true",
    "PRISM_DOCKER_BACKEND": "broker",
    "PRISM_DOCKER_BROKER_URL": "http://broker:8082",
    "PRISM_DOCKER_BROKER_TOKEN_FILE": "/run/secrets/base/broker_token",
    "DOCKER_BROKER_TOKEN_FILE": "/run/secrets/base/broker_token",
    "CHALLENGE_DOCKER_ENABLED": "true",
    "CHALLENGE_DOCKER_BACKEND": "broker",
    "CHALLENGE_DOCKER_BROKER_URL": "http://broker:8082",
    "PRISM_BASE_EVAL_IMAGE": "evaluator:1",
    "PRISM_LLM_GATEWAY_URL": "http://gateway/llm/openrouter",
    "PRISM_COMBINED_MODE": "true",
    "BASE_CHALLENGE_SLUG": "prism",
    "CHALLENGE_DATABASE_URL": "sqlite+aiosqlite:////data/challenge.sqlite3",
    "PRISM_NOBODY_KNOWS_THIS": "[1, 2",
}


def test_health(service: Server) -> None:
    """1.1: alive, and the right challenge."""
    answer = wire.get(service.address, "/health", {"Accept": "application/json"})
    body = answer.ok()
    assert body["status"] == "ok"
    assert body["slug"] == "prism"
    assert isinstance(body["version"], str)
    assert answer.headers["x-request-id"]


def test_version(service: Server) -> None:
    """1.2: the version of the registry and what the master asks for."""
    body = wire.get(service.address, "/version", {"Accept": "application/json"}).ok()
    assert body["api_version"] == "1.0"
    assert body["challenge_version"] == "0.1.0"
    assert isinstance(body["sdk_version"], str)
    assert {"get_weights", "proxy_routes"} <= set(body["capabilities"])


def test_version_is_the_registrys(fresh: Callable[..., Server]) -> None:
    """1.2: the version is a setting, not the number of the build."""
    one = fresh(environment={"PRISM_VERSION": "7.8.9"})
    assert wire.get(one.address, "/version").ok()["challenge_version"] == "7.8.9"


@pytest.mark.parametrize("path", ["/health", "/version"])
def test_head_is_answered(service: Server, path: str) -> None:
    """HEAD of a page has its headers and no body."""
    answer = wire.ask(service.address, "HEAD", path)
    assert answer.status == 200
    assert answer.body == b""


@pytest.mark.parametrize("variable", ["PRISM_SHARED_TOKEN_FILE", "CHALLENGE_SHARED_TOKEN_FILE"])
def test_the_masters_environment(fresh: Callable[..., Server], tmp_path: Path, variable: str) -> None:
    """1.3: everything that the master sets is borne, and the token comes from the file that it names."""
    token = tmp_path / "challenge_token"
    token.write_text("  the-token-of-the-file\n")
    one = fresh(environment={**MASTERS_ENVIRONMENT, variable: str(token)})
    headers = {
        "Authorization": "Bearer the-token-of-the-file",
        "X-Base-Challenge-Slug": "prism",
    }
    assert wire.get(one.address, "/health").ok()["status"] == "ok"
    assert wire.get(one.address, "/internal/v1/get_weights", headers).status == 200
    old = {**headers, "Authorization": f"Bearer {server.TOKEN}"}
    assert wire.get(one.address, "/internal/v1/get_weights", old).status == 401
    assert "the-token-of-the-file" not in one.log()


def test_a_root_that_is_read_only(template: Path, tmp_path: Path) -> None:
    """1.3: with nothing to write to but the folder of the store, it starts on all addresses within 24 seconds."""
    one = server.copied(template, tmp_path / "data", environment=MASTERS_ENVIRONMENT)
    one.environment["PRISM_SHARED_TOKEN"] = server.TOKEN
    one.environment["PRISM_SERVER__LISTEN"] = f"0.0.0.0:{one.port}"
    one.environment.pop("PRISM_MACHINE_LOCK")
    data = shlex.quote(str(one.dir))
    # In a namespace of its own: the folder stays writable, all that lies around it does not.
    inner = (
        f"mount --make-rprivate / && mount --bind {data} {data} && mount -o remount,bind,ro / && "
        f"! touch {shlex.quote(str(tmp_path / 'x'))} 2>/dev/null && exec {shlex.join(one.command)}"
    )
    one.command = ["unshare", "--mount", "sh", "-c", inner]
    try:
        one.start()
        assert wire.get(one.address, "/health").ok()["status"] == "ok"
        assert not (tmp_path / "x").exists()
        listening = Path("/proc/net/tcp").read_text().split()
        assert f"00000000:{one.port:04X}" in listening, "on all addresses"
    finally:
        one.kill()


def test_a_start_is_quick_and_says_who_serves(fresh: Callable[..., Server]) -> None:
    """A restart is no interruption that a master would notice, and a second server of the store is refused."""
    one = fresh()
    one.stop()
    begun = time.monotonic()
    one.start()
    assert time.monotonic() - begun < server.START_SECONDS
    other = server.prism(
        "serve",
        "--dir",
        str(one.store),
        "--listen",
        f"127.0.0.1:{server.free_port()}",
        environment=one.environment,
    )
    assert other.returncode == 2, "usage: the store has a server"
    assert "store" in other.stderr
    assert wire.get(one.address, "/health").status == 200


def test_metrics_have_an_address_of_their_own(fresh: Callable[..., Server]) -> None:
    """What Prometheus reads is not for the public, and no label of it is a stranger's choice."""
    port = server.free_port()
    one = fresh(environment={"PRISM_SERVER__METRICS_LISTEN": f"127.0.0.1:{port}"})
    wire.get(one.address, "/a-path-that-a-stranger-chose")
    assert wire.get(one.address, "/metrics").status == 404
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert "prism_" in text
    assert "a-path-that-a-stranger-chose" not in text
    assert text.endswith("# EOF\n")


def test_it_ends_when_it_is_told_to(fresh: Callable[..., Server]) -> None:
    """SIGTERM ends it with success, and what it was told is there afterwards."""
    one = fresh()
    body = b"PK\x05\x06" + bytes(18)
    sent = wire.ask(one.address, "POST", "/v1/submissions", keys.upload_headers(keys.fresh(), body), body).ok()
    one.stop()
    one.start()
    assert wire.get(one.address, f"/v1/submissions/{sent['id']}").ok()["id"] == sent["id"]
