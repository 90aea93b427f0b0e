"""Section 7 of the master's requests: miners who come directly, with a signature of their own."""

import time
from collections.abc import Callable

import pytest

from harness import bundles, forms, keys, looks, wire
from harness.server import Server

ROUTE = "/v1/submissions"
FOUR = ["x-hotkey", "x-signature", "x-nonce", "x-timestamp"]


def send(server: Server, headers: dict[str, str], body: bytes) -> wire.Answer:
    """Upload."""
    return wire.ask(server.address, "POST", ROUTE, headers, body)


@pytest.mark.parametrize(
    ("kind", "is_json"),
    [
        ("application/zip", False),
        ("application/octet-stream", False),
        (None, False),
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("prefix", ["", "0x"])
def test_taken(service: Server, kind: str | None, is_json: bool, wrapped: bool, prefix: str) -> None:
    """7.1: raw and JSON, each signature as wallets write it."""
    key, archive = keys.fresh(), bundles.bundle()
    body = bundles.as_json(archive) if is_json else archive
    headers = keys.upload_headers(key, body, wrapped=wrapped)
    headers["X-Signature"] = prefix + headers["X-Signature"]
    if kind is not None:
        headers["Content-Type"] = kind
    answer = send(service, headers, body).ok()
    identifier = forms.submission(answer, key.ss58_address, bundles.code_hash(archive))
    assert answer["status"] == "pending"
    found = wire.get(service.address, f"{ROUTE}/{identifier}").ok()
    assert found["hotkey"] == key.ss58_address


def test_a_script_is_taken_and_rejected_later(service: Server) -> None:
    """A `.py` is source text, which cannot be a bundle."""
    key = keys.fresh()
    body = bundles.as_json(b"", code="print('x')\n", filename="model.py")
    headers = {**keys.upload_headers(key, body), "Content-Type": "application/json"}
    sent = send(service, headers, body).ok()
    assert sent["code_hash"] == keys.sha256(b"print('x')\n")
    looks.settle(service.store)
    found = wire.get(service.address, f"{ROUTE}/{sent['id']}").ok()
    assert found["status"] == "rejected"
    assert found["error"]


@pytest.mark.parametrize("name", FOUR)
def test_a_header_is_missing(service: Server, untouched, name: str) -> None:
    """7.2: told with its place, as a list."""
    body = bundles.bundle()
    headers = keys.upload_headers(keys.fresh(), body)
    sent = {key: value for key, value in headers.items() if key.lower() != name}
    with untouched(service):
        answer = send(service, sent, body)
        assert forms.refused(answer, 422) == "invalid_request"
        assert forms.places(answer) == [["header", name]]
        assert answer.json()["detail"][0]["type"] == "missing"


def test_all_headers_are_missing(service: Server, untouched) -> None:
    """6.9: what came through the master's proxy has lost them."""
    with untouched(service):
        answer = send(service, {"X-Base-Proxy": "true"}, bundles.bundle())
        assert forms.refused(answer, 422) == "invalid_request"
        assert forms.places(answer) == [["header", name] for name in FOUR]


@pytest.mark.parametrize("name", ["X-Hotkey", "X-Nonce"])
@pytest.mark.parametrize(("value", "kind"), [("", "string_too_short"), ("x" * 129, "string_too_long")])
def test_a_header_has_bounds(service: Server, untouched, name: str, value: str, kind: str) -> None:
    """7.2: 1 to 128 characters."""
    body = bundles.bundle()
    headers = {**keys.upload_headers(keys.fresh(), body), name: value}
    with untouched(service):
        answer = send(service, headers, body)
        assert forms.refused(answer, 422) == "invalid_request"
        assert answer.json()["detail"][0]["type"] == kind


def test_switched_off(fresh: Callable[..., Server]) -> None:
    """7.3: 404, and the nonce works once they are on again."""
    one = fresh(environment={"PRISM_PUBLIC_SUBMISSIONS_ENABLED": "false"})
    body = bundles.bundle()
    headers = keys.upload_headers(keys.fresh(), body)
    before = looks.look(one.store)
    assert forms.refused(send(one, headers, body), 404) == "public_submissions_off"
    assert forms.refused(send(one, {}, body), 422) == "invalid_request"
    assert looks.look(one.store).added(before) == {}
    one.stop()
    one.environment["PRISM_PUBLIC_SUBMISSIONS_ENABLED"] = "true"
    one.start()
    assert send(one, headers, body).ok()["status"] == "pending"


@pytest.mark.parametrize("at", ["abc", "1.5", "", "0x10", "1 2", "1e9", "+1", "--1", "1767225600Z"])
def test_no_time(service: Server, untouched, at: str) -> None:
    """7.4: whole seconds or nothing."""
    body = bundles.bundle()
    headers = {**keys.upload_headers(keys.fresh(), body), "X-Timestamp": at}
    with untouched(service):
        assert forms.refused(send(service, headers, body), 400) == "invalid_timestamp"


@pytest.mark.parametrize("away", [-302, 303, -10_000_000, 10_000_000])
def test_old_or_ahead(service: Server, untouched, away: int) -> None:
    """7.5: more than 300 seconds from now, well signed or not."""
    body = bundles.bundle()
    headers = keys.upload_headers(keys.fresh(), body, at=str(int(time.time()) + away))
    with untouched(service):
        assert forms.refused(send(service, headers, body), 401) == "stale_signature"


@pytest.mark.parametrize("at", ["-1", "99999999999999999999999999", "-99999999999999999999999"])
def test_far_away(service: Server, untouched, at: str) -> None:
    """7.5: a number that no clock has is far from now as well."""
    body = bundles.bundle()
    headers = keys.upload_headers(keys.fresh(), body, at=at)
    with untouched(service):
        assert forms.refused(send(service, headers, body), 401) == "stale_signature"


def test_exactly_at_the_bound(fresh: Callable[..., Server], clock) -> None:
    """7.5: 300 seconds are taken, 301 are not; the clock of the server is moved, not that of the miner."""
    one = fresh(clock=clock)
    for away, is_taken in [(-290, True), (290, True), (-302, False), (302, False)]:
        one.set_clock(away)
        body = bundles.bundle()
        answer = send(one, keys.upload_headers(keys.fresh(), body), body)
        if is_taken:
            assert answer.ok()["status"] == "pending"
        else:
            assert forms.refused(answer, 401) == "stale_signature"


@pytest.mark.parametrize("form", ["{}", '["{}"]', '["5X", "{}"]', "5X,{}"])
def test_validators(fresh: Callable[..., Server], form: str) -> None:
    """7.6: refused before the signature is looked at, however the list is written."""
    key = keys.fresh()
    setting = form.replace("{}", key.ss58_address)
    one = fresh(environment={"PRISM_VALIDATOR_HOTKEYS": setting})
    body = bundles.bundle()
    good = keys.upload_headers(key, body)
    before = looks.look(one.store)
    for headers in (good, {**good, "X-Signature": "00" * 64}, {**good, "X-Signature": "x"}):
        assert forms.refused(send(one, headers, body), 403) == "validator_hotkey"
    assert looks.look(one.store).added(before) == {}
    other = keys.fresh()
    assert send(one, keys.upload_headers(other, body), body).status == 200


def forged(name: str) -> tuple[dict[str, str], bytes]:
    """Return an upload whose signature is not good."""
    key, body = keys.fresh(), bundles.bundle()
    headers = keys.upload_headers(key, body)
    signature = headers["X-Signature"]
    match name:
        case "of other bytes":
            return headers, bundles.bundle()
        case "of another nonce":
            return {**headers, "X-Nonce": "another"}, body
        case "of another time":
            return {**headers, "X-Timestamp": str(int(headers["X-Timestamp"]) - 1)}, body
        case "of another hotkey":
            return {**headers, "X-Hotkey": keys.fresh().ss58_address}, body
        case "a hotkey that is none":
            return {**headers, "X-Hotkey": "hk"}, body
        case "an address of another network":
            # Alice's key as an address of the network with the number 0.
            other = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"
            return {**headers, "X-Hotkey": other}, body
        case "63 bytes":
            return {**headers, "X-Signature": signature[:-2]}, body
        case "65 bytes":
            return {**headers, "X-Signature": "01" + signature}, body
        case "0X":
            return {**headers, "X-Signature": "0X" + signature}, body
        case "no digits":
            return {**headers, "X-Signature": "z" * 128}, body
        case "empty":
            return {**headers, "X-Signature": ""}, body
        case "very long":
            return {**headers, "X-Signature": signature * 100}, body
        case "zeros":
            return {**headers, "X-Signature": "00" * 64}, body
        case "as the master's":
            at, used = headers["X-Timestamp"], headers["X-Nonce"]
            route = "POST:/v1/challenges/prism/submissions"
            text = f"base-upload-v1:100:prism:{route}:{key.ss58_address}:{used}:{at}:{keys.sha256(body)}"
            return {**headers, "X-Signature": key.sign(text.encode()).hex()}, body
        case "as an owner's":
            at, used = headers["X-Timestamp"], headers["X-Nonce"]
            text = f"prism-request:POST:{ROUTE}:{key.ss58_address}:{used}:{at}:{keys.sha256(body)}"
            return {**headers, "X-Signature": key.sign(text.encode()).hex()}, body
        case "as a checkpoint's":
            at, used = headers["X-Timestamp"], headers["X-Nonce"]
            text = f"prism:checkpoint:{key.ss58_address}:{used}:{at}:{keys.sha256(body)}"
            return {**headers, "X-Signature": key.sign(text.encode()).hex()}, body
        case "of the JSON's file":
            form = bundles.as_json(body)
            return {**headers, "Content-Type": "application/json"}, form
        case "wrapped twice":
            text = keys.upload_text(key.ss58_address, headers["X-Nonce"], headers["X-Timestamp"], body)
            twice = b"<Bytes><Bytes>" + text + b"</Bytes></Bytes>"
            return {**headers, "X-Signature": key.sign(twice).hex()}, body
    raise AssertionError(name)


@pytest.mark.parametrize(
    "name",
    [
        "of other bytes",
        "of another nonce",
        "of another time",
        "of another hotkey",
        "a hotkey that is none",
        "an address of another network",
        "63 bytes",
        "65 bytes",
        "0X",
        "no digits",
        "empty",
        "very long",
        "zeros",
        "as the master's",
        "as an owner's",
        "as a checkpoint's",
        "of the JSON's file",
        "wrapped twice",
    ],
)
def test_forged(service: Server, untouched, name: str) -> None:
    """7.7: all answered alike, and nothing of them is in the log."""
    headers, body = forged(name)
    with untouched(service):
        answer = send(service, headers, body)
        assert forms.refused(answer, 401) == "invalid_signature"
        assert answer.headers["www-authenticate"] == "Prism-Signature"
    log = service.log()
    for secret in (headers["X-Signature"], headers["X-Nonce"]):
        assert len(secret) < 8 or secret not in log
    assert answer.headers["x-request-id"] in log


@pytest.mark.parametrize(
    ("first", "status"),
    [
        ("taken", 200),
        ("too large", 413),
        ("no form", 422),
        ("no json", 400),
    ],
)
def test_a_nonce_again(service: Server, untouched, first: str, status: int) -> None:
    """7.8: a nonce is used up by whatever had a good signature, and an identical repeat hears the same answer."""
    key, used = keys.fresh(), keys.nonce()
    kind = {"Content-Type": "application/json"}
    body, extra = {
        "taken": (bundles.bundle(), {}),
        "too large": (b"P" * 5_625_001, {}),
        "no form": (b'{"code":""}', kind),
        "no json": (b"{not json", kind),
    }[first]
    headers = {**keys.upload_headers(key, body, used=used), **extra}
    answer = send(service, headers, body)
    assert answer.status == status
    with untouched(service):
        again = send(service, headers, body)
        assert again.status == status
        if status == 200:
            assert again.ok()["id"] == answer.ok()["id"]
            assert again.ok()["status"] == answer.ok()["status"] == "pending"
        else:
            assert again.json()["detail"] == answer.json()["detail"]
        other = bundles.bundle()
        anew = {**keys.upload_headers(key, other, used=used)}
        assert forms.refused(send(service, anew, other), 409) == "nonce_used"
    # It is this hotkey's alone.
    other = bundles.bundle()
    assert send(service, keys.upload_headers(keys.fresh(), other, used=used), other).status == 200


def test_a_refused_signature_uses_no_nonce(service: Server) -> None:
    """7.8: nobody can use up the nonces of a hotkey that is not theirs."""
    key, body, used = keys.fresh(), bundles.bundle(), keys.nonce()
    headers = keys.upload_headers(key, body, used=used)
    assert send(service, {**headers, "X-Signature": "00" * 64}, body).status == 401
    stale = keys.upload_headers(key, body, used=used, at="1")
    assert send(service, stale, body).status == 401
    assert send(service, headers, body).status == 200


@pytest.mark.parametrize("size", [5_625_001, 10_100_000])
def test_too_large(service: Server, untouched, size: int) -> None:
    """7.9: told by the size of the base64 text; with a good signature the nonce is used up."""
    body = b"P" * size
    with untouched(service, nonces=1):
        answer = send(service, keys.upload_headers(keys.fresh(), body), body)
        assert forms.refused(answer, 413) == "too_large"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("../a.zip", b"PK"),
        ("a b.zip", b"PK"),
        (None, b'{"code":""}'),
        (None, b"{}"),
        (None, b'{"code":"UEs=","filename":"../a.zip"}'),
    ],
)
def test_bad_forms(service: Server, untouched, name: str | None, body: bytes) -> None:
    """7.10: the same as through the master."""
    extra = {"Content-Type": "application/json"} if name is None else {"X-Submission-Filename": name}
    with untouched(service, nonces=1):
        answer = send(service, {**keys.upload_headers(keys.fresh(), body), **extra}, body)
        assert forms.refused(answer, 422) == "invalid_request"


def test_no_json(service: Server, untouched) -> None:
    """7.11: the same as through the master."""
    body = b"{not json"
    headers = {**keys.upload_headers(keys.fresh(), body), "Content-Type": "application/json"}
    with untouched(service, nonces=1):
        assert forms.refused(send(service, headers, body), 400) == "invalid_json"


def test_the_order_of_checks(service: Server, untouched) -> None:
    """Headers, then the time, then the signature, then the body: the first fault is the one that is told."""
    body = b"{not json"
    good = {**keys.upload_headers(keys.fresh(), body), "Content-Type": "application/json"}
    wrong_signature = {**good, "X-Signature": "00" * 64}
    wrong_time = {**wrong_signature, "X-Timestamp": "1"}
    no_time = {**wrong_signature, "X-Timestamp": "x"}
    no_nonce = {name: value for name, value in no_time.items() if name != "X-Nonce"}
    for headers, status in [
        (no_nonce, 422),
        (no_time, 400),
        (wrong_time, 401),
        (wrong_signature, 401),
    ]:
        with untouched(service):
            forms.refused(send(service, headers, body), status)
