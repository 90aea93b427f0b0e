"""Sections 5, 6 and 8 of the master's requests: statuses and public reads, through the master and not."""

import gzip
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import bundles, forms, keys, looks, master, wire
from harness.server import Server

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def submitted(service: Server) -> dict[str, Any]:
    """What an upload was answered."""
    return master.bridge(service, keys.ALICE, bundles.bundle()).json()


def read(service: Server, path: str) -> Any:
    """Return a public page as the master passes it on."""
    answer = master.proxied(service, path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert "content-encoding" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers, "the master adds its own"
    return answer.json()


def test_just_submitted(service: Server, submitted: dict[str, Any]) -> None:
    """5.1: the fields of the upload, and of the score null."""
    found = read(service, f"/v1/submissions/{submitted['id']}")
    forms.submission(found, keys.ALICE, submitted["code_hash"])
    for name in ("id", "hotkey", "epoch_id", "status", "code_hash", "created_at"):
        assert found[name] == submitted[name], name
    assert all(found[name] is None for name in forms.SCORES)
    assert "error" in found


def test_what_waits_says_why(service: Server, submitted: dict[str, Any]) -> None:
    """A machine that cannot run submissions keeps them queued, and each says so."""
    looks.settle(service.store)

    def told() -> Any:
        found = read(service, f"/v1/submissions/{submitted['id']}")
        return found if found["reason"] == "no_executor" else None

    found = wire.eventually(told)
    assert found["status"] == "pending"
    assert found["stage"] == "queued"
    assert "cannot run submissions" in found["error"]


def test_rejected(service: Server) -> None:
    """5.3: every end without a score says why."""
    sent = master.bridge(service, keys.fresh().ss58_address, bundles.refused_bundle()).json()
    looks.settle(service.store)
    found = read(service, f"/v1/submissions/{sent['id']}")
    assert found["status"] == "rejected"
    assert found["error"]
    findings = read(service, f"/v1/submissions/{sent['id']}/findings")
    assert "import socket" not in json.dumps(findings), "no line of the source"


def test_held(fresh: Callable[..., Server], template: Path) -> None:
    """5.3, 2.8: where the round wants a review and there is no reviewer, it is held, says so, and weighs nothing."""
    python = str(template.parent / "python")
    one = fresh(environment={"PRISM_REVIEW__MODE": "enforce", "PRISM_PYTHON": python})
    one.operator("round", "close", "contract")
    corpus = str(template.parent / "corpus")
    one.operator("round", "open", "--name", "reviewed", "--recipe", "small", "--data", corpus)
    sent = master.bridge(one, keys.fresh().ss58_address, bundles.bundle()).json()
    looks.settle(one.store)
    found = read(one, f"/v1/submissions/{sent['id']}")
    assert (found["status"], found["reason"]) == ("held", "review_absent")
    assert found["error"]
    assert master.get(one, "/internal/v1/get_weights").json()["weights"] == {}
    why = "not what this round is for"
    one.operator("admin", "reject", sent["id"], "--why", why)
    found = read(one, f"/v1/submissions/{sent['id']}")
    assert found["status"] == "rejected"
    assert why in found["error"]


@pytest.mark.parametrize("part", ["", "/curve", "/events", "/events/stream", "/findings", "/manifest", "/report"])
@pytest.mark.parametrize("identifier", [UNKNOWN, "no-such", "%00", "%ff", "..%2f..%2fx", "'"])
def test_unknown(service: Server, part: str, identifier: str) -> None:
    """5.4: 404 with a sentence, whatever is asked of what is not there."""
    answer = master.proxied(service, f"/v1/submissions/{identifier}{part}")
    assert forms.refused(answer, 404) == "not_found"


def test_words_of_the_contract(service: Server) -> None:
    """Section 3: clients read these sentences."""
    for path, detail in [
        (f"/v1/submissions/{UNKNOWN}", "submission not found"),
        (f"/v1/submissions/{UNKNOWN}/curve", "submission curve not found"),
        (f"/v1/architectures/{'0' * 64}", "architecture not found"),
        ("/v1/nothing", "Not Found"),
        ("/", None),
    ]:
        answer = master.proxied(service, path)
        if detail is None:
            assert answer.status_code == 200
        else:
            assert answer.json()["detail"] == detail


def test_compression(service: Server, submitted: dict[str, Any]) -> None:
    """5.5: never what the master passes on; else what is worth it."""
    path, asked = "/v1/rules", {"Accept-Encoding": "gzip"}
    plain = wire.get(service.address, path)
    direct = wire.get(service.address, path, asked)
    assert direct.headers["content-encoding"] == "gzip"
    assert gzip.decompress(direct.body) == plain.body
    for extra in ({"X-Base-Proxy": "true"}, {"X-Base-Proxy": ""}):
        proxied = wire.get(service.address, path, {**asked, **extra})
        assert "content-encoding" not in proxied.headers
        assert proxied.body == plain.body
    status = f"/v1/submissions/{submitted['id']}"
    assert "content-encoding" not in master.proxied(service, status).headers


def test_leaderboard(service: Server) -> None:
    """6.1, 6.2: of the present epoch, or of one that is named."""
    body = read(service, "/v1/leaderboard")
    assert body == {"epoch_id": body["epoch_id"], "entries": []}
    assert abs(body["epoch_id"] - time.time() // forms.EPOCH_SECONDS) <= 1
    assert read(service, "/v1/leaderboard?epoch_id=3") == {"epoch_id": 3, "entries": []}


def test_epochs(service: Server, submitted: dict[str, Any]) -> None:
    """6.4: the present one, and those with a submission."""
    current = read(service, "/v1/epochs/current")
    assert current["epoch_seconds"] == forms.EPOCH_SECONDS
    assert abs(current["epoch_id"] - time.time() // forms.EPOCH_SECONDS) <= 1
    [epoch] = [one for one in read(service, "/v1/epochs") if one["id"] == submitted["epoch_id"]]
    assert epoch["status"] == "open"
    assert forms.TIME.fullmatch(epoch["starts_at"])
    assert forms.TIME.fullmatch(epoch["ends_at"])


def test_devices_and_jobs(service: Server, submitted: dict[str, Any]) -> None:
    """6.5: an object and a list."""
    gpus = read(service, "/v1/gpu/status")
    assert isinstance(gpus["total_gpus"], int)
    assert isinstance(gpus["active_leases"], int)
    for name in ("by_status", "by_tier"):
        assert all(isinstance(count, int) for count in gpus[name].values())
    jobs = read(service, "/v1/health/eval-jobs?limit=200")
    [job] = [job for job in jobs if job["submission_id"] == submitted["id"]]
    assert job["level"] == "l1"
    assert job["status"] == "pending"
    assert job["attempts"] == 0
    assert isinstance(job["id"], str)
    assert forms.TIME.fullmatch(job["created_at"])
    assert forms.TIME.fullmatch(job["updated_at"])
    assert len(read(service, "/v1/health/eval-jobs?limit=1")) == 1


def test_history(service: Server, submitted: dict[str, Any]) -> None:
    """6.6: a list of days, not a submission with the id `history`."""
    days = read(service, "/v1/submissions/history")
    assert [day["date"] for day in days] == sorted(day["date"] for day in days)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", day["date"]) for day in days)
    assert all(isinstance(day["count"], int) and day["count"] > 0 for day in days)
    assert submitted["created_at"][:10] in {day["date"] for day in days}


def test_architectures_unscored(service: Server) -> None:
    """6.7: empty until something is scored; unknown ones are 404."""
    body = read(service, "/v1/architectures")
    assert body["architectures"] == []
    assert isinstance(body["epoch_id"], int)
    for part in ("", "/variants", "/report"):
        for unknown in ("0" * 64, "x", "%00"):
            answer = master.proxied(service, f"/v1/architectures/{unknown}{part}")
            assert forms.refused(answer, 404) == "not_found"
    assert master.proxied(service, "/v1/training-variants").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v1/leaderboard?epoch_id=-1",
        "/v1/leaderboard?epoch_id=x",
        "/v1/leaderboard?epoch_id=",
        "/v1/leaderboard?epoch_id=99999999999999999999999",
        "/v1/submissions/history?days=0",
        "/v1/submissions/history?days=367",
        "/v1/submissions/history?days=1.5",
        "/v1/epochs?limit=0",
        "/v1/epochs?limit=201",
        "/v1/health/eval-jobs?limit=0",
        "/v1/health/eval-jobs?limit=201",
        "/v1/architectures?epoch_id=-1",
        "/v1/submissions?limit=0",
        "/v1/submissions?limit=201",
        "/v1/submissions?cursor=x",
        "/v1/submissions?cursor=s-1",
        "/v1/submissions?cursor=sffffffffffffffff",
        "/v1/submissions?status=none",
        "/v1/submissions?stage=none",
        "/v1/submissions?hotkey=" + "x" * 129,
        "/v1/budget",
    ],
)
def test_bounds(service: Server, untouched, path: str) -> None:
    """6.11: 422 with a list that says where."""
    with untouched(service):
        answer = master.proxied(service, path)
        assert forms.refused(answer, 422) == "invalid_request"
        name = path.partition("?")[2].partition("=")[0] or "hotkey"
        assert forms.places(answer) == [["query", name]]


@pytest.mark.parametrize("days", [1, 366])
def test_bounds_are_inclusive(service: Server, days: int) -> None:
    """6.11: the ends of a range belong to it."""
    assert isinstance(read(service, f"/v1/submissions/history?days={days}"), list)


def test_stream_through_the_master(service: Server, submitted: dict[str, Any]) -> None:
    """6.8, 8.2: chunk by chunk, with a sign of life within 15 seconds; it goes away with its client."""
    with wire.Connection(service.address) as connection:
        path = f"/v1/submissions/{submitted['id']}/events/stream"
        connection.request("GET", path, {"X-Base-Proxy": "true"})
        answer = connection.stream()
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers
        assert answer.headers["transfer-encoding"] == "chunked"
        connection.socket.settimeout(15)
        seen = []
        while not any(line.startswith(b":") for line in seen):
            seen.append(answer.readline())
        assert any(line.startswith(b"id: ") for line in seen)
        assert any(line.startswith(b"event: stage") for line in seen)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/status",
        "/v1/submissions?limit=20",
        "/v1/submissions/{id}",
        "/v1/submissions/{id}/diff",
        "/v1/submissions/{id}/events",
        "/v1/submissions/{id}/logs?since=0",
        "/v1/submissions/{id}/metrics?zone=a",
        "/v1/recipe",
        "/v1/admin",
        "/v1/admin/held",
    ],
)
def test_the_newest_gateway(service: Server, submitted: dict[str, Any], path: str) -> None:
    """8.1: whatever its site asks, never a 5xx; and there is no administration over TCP."""
    for identifier in (submitted["id"], UNKNOWN):
        answer = wire.get(service.address, path.replace("{id}", identifier))
        assert answer.status < 500
        if answer.status != 200:
            forms.refused(answer, answer.status)
        assert answer.status != 200 or "admin" not in path


def test_our_own_reads(service: Server, submitted: dict[str, Any]) -> None:
    """The rest of the public pages answer, with a tag by which they are not sent twice."""
    for path in [
        "/v1/submissions",
        f"/v1/submissions/{submitted['id']}",
        f"/v1/submissions/{submitted['id']}/events",
        "/v1/board",
        "/v1/epochs",
        "/v1/rounds",
        "/v1/recipe",
        "/v1/rules",
        "/openapi.json",
    ]:
        answer = wire.get(service.address, path)
        answer.ok()
        again = wire.get(service.address, path, {"If-None-Match": answer.headers["etag"]})
        assert (again.status, again.body) == (304, b""), path
        assert wire.get(service.address, path, {"If-None-Match": '"other"'}).status == 200
    for path in ["/v1/queue", "/v1/weights", f"/v1/budget?hotkey={keys.ALICE}"]:
        assert wire.get(service.address, path).ok()
    assert wire.get(service.address, "/ready").status in {200, 503}
    for path in ["/", "/docs/", "/redoc"]:
        page = wire.get(service.address, path)
        assert page.status == 200
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
    assert wire.get(service.address, "/docs").status in {301, 302, 307, 308}


def test_lists_have_cursors(fresh: Callable[..., Server]) -> None:
    """Pages put together are the whole list, each submission once, the newest first."""
    one = fresh()
    ids = [master.bridge(one, keys.ALICE, bundles.empty_zip(b"%d" % at)).json()["id"] for at in range(7)]
    found, cursor = [], ""
    while True:
        page = wire.get(one.address, f"/v1/submissions?limit=3{cursor}").ok()
        found += [each["id"] for each in page["submissions"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == ids[::-1]
    of_alice = wire.get(one.address, f"/v1/submissions?hotkey={keys.ALICE}").ok()
    assert len(of_alice["submissions"]) == 7
    other = wire.get(one.address, f"/v1/submissions?hotkey={keys.fresh().ss58_address}").ok()
    assert other["submissions"] == []


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/health", "GET"),
        ("PUT", "/v1/submissions", "POST"),
        ("DELETE", "/v1/submissions", "POST"),
        ("POST", "/v1/leaderboard", "GET"),
        ("GET", "/internal/v1/bridge/submissions", "POST"),
        ("PATCH", "/v1/submissions/x", "GET"),
        ("BREW", "/v1/leaderboard", "GET"),
    ],
)
def test_methods(service: Server, untouched, method: str, path: str, allowed: str) -> None:
    """Section 6: 405 with `Allow`, in the words of the contract."""
    with untouched(service):
        answer = wire.ask(service.address, method, path, master.headers())
        assert forms.refused(answer, 405) == "method_not_allowed"
        assert answer.json()["detail"] == "Method Not Allowed"
        assert allowed in answer.headers["allow"]


def test_pages_of_others_may_read(service: Server) -> None:
    """Public reads may be made by anybody's page; uploads and internal routes may not."""
    origin = {"Origin": "https://example.org"}
    for path in ("/v1/leaderboard", "/health"):
        answer = wire.get(service.address, path, origin)
        assert answer.headers["access-control-allow-origin"] == "*"
    for path in ("/internal/v1/get_weights",):
        answer = wire.get(service.address, path, {**origin, **master.headers()})
        assert "access-control-allow-origin" not in answer.headers
    preflight = {**origin, "Access-Control-Request-Method": "POST"}
    answer = wire.ask(service.address, "OPTIONS", "/v1/submissions", preflight)
    assert "POST" not in answer.headers.get("access-control-allow-methods", "")
