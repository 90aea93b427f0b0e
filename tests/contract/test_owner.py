"""What only the owner of a submission may ask: signed with the headers that pass the master's proxy."""

from collections.abc import Callable
from typing import Any

import pytest
from bittensor_wallet import Keypair

from harness import bundles, forms, keys, looks, wire
from harness.server import Server

UNKNOWN = "00000000-0000-4000-8000-000000000000"
FOUR = ["x-prism-hotkey", "x-prism-signature", "x-prism-nonce", "x-prism-timestamp"]


def submit(server: Server, key: Keypair) -> str:
    """Submit a bundle and return its id, once it is queued."""
    body = bundles.bundle()
    sent = wire.ask(server.address, "POST", "/v1/submissions", keys.upload_headers(key, body), body).ok()
    looks.settle(server.store)
    return str(sent["id"])


def ask(server: Server, key: Keypair, method: str, path: str, **signed: Any) -> wire.Answer:
    """Ask as an owner."""
    headers = keys.owner_headers(key, method, path, **signed)
    return wire.ask(server.address, method, path, headers, b"" if method == "POST" else None)


def test_cancel(service: Server, untouched) -> None:
    """It ends, once; the very same request again hears the same, another one that it is over."""
    key = keys.fresh()
    identifier = submit(service, key)
    path = f"/v1/submissions/{identifier}/cancel"
    headers = keys.owner_headers(key, "POST", path)
    first = wire.ask(service.address, "POST", path, headers, b"").ok()
    assert first["id"] == identifier
    assert first["status"] == "rejected", "the contract has no other word"
    assert first["state"] == "cancelled"
    with untouched(service):
        again = wire.ask(service.address, "POST", path, headers, b"").ok()
        assert (again["id"], again["state"]) == (identifier, "cancelled")
    with untouched(service, nonces=1):
        assert forms.refused(ask(service, key, "POST", path), 409) == "wrong_state"


@pytest.mark.parametrize(("method", "part"), [("POST", "cancel"), ("GET", "logs"), ("GET", "traceback")])
def test_somebody_else(service: Server, untouched, method: str, part: str) -> None:
    """Wrong owner: nothing is told and nothing happens."""
    identifier = submit(service, keys.fresh())
    with untouched(service, nonces=1):
        answer = ask(service, keys.fresh(), method, f"/v1/submissions/{identifier}/{part}")
        assert forms.refused(answer, 403) == "not_owner"


@pytest.mark.parametrize(("method", "part"), [("POST", "cancel"), ("GET", "logs"), ("GET", "traceback")])
def test_forged(service: Server, untouched, method: str, part: str) -> None:
    """Missing, stale, replayed, for another path, method or body: each refused, and nothing happens."""
    key = keys.fresh()
    identifier = submit(service, key)
    path = f"/v1/submissions/{identifier}/{part}"
    body = b"" if method == "POST" else None

    def sent(headers: dict[str, str]) -> wire.Answer:
        return wire.ask(service.address, method, path, headers, body)

    good = keys.owner_headers(key, method, path)
    with untouched(service):
        for name in FOUR:
            lacking = {key: value for key, value in good.items() if key.lower() != name}
            answer = sent(lacking)
            assert forms.refused(answer, 422) == "invalid_request"
            assert forms.places(answer) == [["header", name]]
        for headers, status, code in [
            (keys.owner_headers(key, method, path, at="1"), 401, "stale_signature"),
            (keys.owner_headers(key, method, path, at="x"), 400, "invalid_timestamp"),
            (keys.owner_headers(key, "PUT", path), 401, "invalid_signature"),
            (keys.owner_headers(key, method, path + "/"), 401, "invalid_signature"),
            (keys.owner_headers(key, method, path, body=b"x"), 401, "invalid_signature"),
            ({**good, "X-Prism-Signature": "00" * 64}, 401, "invalid_signature"),
            ({**good, "X-Prism-Hotkey": keys.ALICE}, 401, "invalid_signature"),
            ({**good, "X-Prism-Nonce": "x" * 129}, 422, "invalid_request"),
            ({**good, "X-Prism-Nonce": ""}, 422, "invalid_request"),
        ]:
            assert forms.refused(sent(headers), status) == code
        upload = keys.upload_headers(key, b"")
        renamed = {"X-Prism-" + name.removeprefix("X-"): value for name, value in upload.items()}
        assert forms.refused(sent(renamed), 401) == "invalid_signature"


def test_reads_cannot_be_replayed(service: Server, untouched) -> None:
    """Whoever saw a request cannot read a log with it."""
    key = keys.fresh()
    identifier = submit(service, key)
    path = f"/v1/submissions/{identifier}/traceback"
    headers = keys.owner_headers(key, "GET", path)
    assert wire.get(service.address, path, headers).ok() == {"traceback": None}
    with untouched(service):
        assert forms.refused(wire.get(service.address, path, headers), 409) == "nonce_used"


def test_logs(service: Server) -> None:
    """There is none before it runs; the query is not signed but has its bounds."""
    key = keys.fresh()
    identifier = submit(service, key)
    path = f"/v1/submissions/{identifier}/logs"
    assert forms.refused(ask(service, key, "GET", path), 404) == "not_found"
    assert forms.refused(ask(service, key, "GET", path + "?since=5"), 404) == "not_found"
    assert forms.refused(ask(service, key, "GET", path + "?since=-1"), 422) == "invalid_request"


def test_unknown(service: Server, untouched) -> None:
    """A submission that is not there."""
    with untouched(service, nonces=1):
        answer = ask(service, keys.fresh(), "POST", f"/v1/submissions/{UNKNOWN}/cancel")
        assert forms.refused(answer, 404) == "not_found"


def test_through_the_master(service: Server) -> None:
    """These headers pass the proxy, and a nonce of an upload is not one of an owner's requests."""
    key, used = keys.fresh(), keys.nonce()
    body = bundles.bundle()
    sent = wire.ask(service.address, "POST", "/v1/submissions", keys.upload_headers(key, body, used=used), body).ok()
    path = f"/v1/submissions/{sent['id']}/traceback"
    headers = {**keys.owner_headers(key, "GET", path, used=used), "X-Base-Proxy": "true"}
    assert wire.get(service.address, path, headers).ok() == {"traceback": None}


def test_wrong_moment(fresh: Callable[..., Server]) -> None:
    """What is published when the round closes is not shown before, and shown after; uploads then have no round."""
    one = fresh()
    key = keys.fresh()
    identifier = submit(one, key)
    path = f"/v1/submissions/{identifier}/source"
    before = looks.look(one.store)
    assert forms.refused(wire.get(one.address, path), 403) == "not_yet_public"
    assert looks.look(one.store).added(before) == {}
    one.operator("round", "close", "contract")
    looks.settle(one.store)
    found = wire.get(one.address, f"/v1/submissions/{identifier}").ok()
    assert found["status"] == "rejected"
    assert found["error"]
    body = bundles.bundle()
    headers = keys.upload_headers(key, body)
    before = looks.look(one.store)
    answer = wire.ask(one.address, "POST", "/v1/submissions", headers, body)
    assert forms.refused(answer, 409) == "no_round"
    after = looks.look(one.store)
    assert after.added(before) == {}, after.differing(before)
