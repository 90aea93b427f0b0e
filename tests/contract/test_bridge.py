"""Section 4 of the master's requests: a miner's upload, as the master hands it over."""

import json
import time
from typing import Any

import pytest

from harness import bundles, forms, keys, looks, master, wire
from harness.server import TOKEN, Server

RAW_BYTES_MAX = 5_625_000
MASTER_BYTES_MAX = 7_500_000


def hotkey() -> str:
    """Return an address that nobody has used."""
    return str(keys.fresh().ss58_address)


def test_as_the_master_sends_it(service: Server) -> None:
    """4.1, 4.4, 4.3: a submission; the same again and the same as JSON are the same one."""
    archive, miner = bundles.bundle(), hotkey()
    answer = master.bridge(service, miner, archive)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert forms.submission(body, miner, bundles.code_hash(archive))
    assert body["status"] == "pending"
    assert abs(body["epoch_id"] - time.time() // forms.EPOCH_SECONDS) <= 1
    assert "content-encoding" not in answer.headers
    again = master.bridge(service, miner, archive)
    assert again.status_code == 200
    assert again.json()["id"] == body["id"]
    form = bundles.as_json(archive)
    as_json = master.bridge(
        service,
        miner,
        form,
        Content_Type="application/json; charset=utf-8",
        X_Submission_Filename=None,
    )
    assert as_json.status_code == 200
    assert as_json.json()["id"] == body["id"]
    assert as_json.json()["code_hash"] == body["code_hash"]
    count = "SELECT count(*) FROM submissions WHERE hotkey = ?"
    assert looks.query(service.store, count, miner) == [(1,)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [(None, None), (None, "application/octet-stream"), ("x.txt", "application/zip"), ("x", None)],
)
def test_default_names(service: Server, name: str | None, kind: str | None) -> None:
    """4.2, 4.8: without a usable name it is `submission.zip`."""
    archive = bundles.bundle()
    answer = master.bridge(service, hotkey(), archive, X_Submission_Filename=name, Content_Type=kind)
    assert answer.status_code == 200, answer.text
    text = "SELECT filename, metadata_json FROM submissions WHERE id = ?"
    [(filename, metadata)] = looks.query(service.store, text, answer.json()["id"])
    assert filename == "submission.zip"
    assert json.loads(metadata) == {"content_type": kind, "bridge": True}


def test_queries_are_passed_over(service: Server) -> None:
    """4.1: what the miner put behind the path is not looked at."""
    answer = master.bridge(service, hotkey(), bundles.bundle(), query="?dry_run=1&x=%ff")
    assert answer.status_code == 200


def test_without_the_masters_extras(service: Server) -> None:
    """4.1: nonce, hash and uid may be absent."""
    answer = master.bridge(
        service,
        hotkey(),
        bundles.bundle(),
        X_Base_Verified_Nonce=None,
        X_Base_Request_Hash=None,
        X_Base_Verified_Uid=None,
    )
    assert answer.status_code == 200


def test_the_same_bytes_of_another(service: Server) -> None:
    """4.5: a duplicate is taken, found out, and leaves the first unharmed."""
    archive = bundles.bundle()
    first = master.bridge(service, hotkey(), archive).json()
    second = master.bridge(service, hotkey(), archive).json()
    assert second["status"] == "pending"
    assert second["id"] != first["id"]

    def rejected() -> Any:
        found = master.proxied(service, f"/v1/submissions/{second['id']}").json()
        return found if found["status"] == "rejected" else None

    found = wire.eventually(rejected)
    assert "duplicate" in found["error"]
    first = master.proxied(service, f"/v1/submissions/{first['id']}").json()
    assert first["status"] in {"pending", "rejected"}
    assert "duplicate" not in (first["error"] or "")


@pytest.mark.parametrize(
    ("size", "status"),
    [
        (RAW_BYTES_MAX, 200),
        (RAW_BYTES_MAX + 1, 413),
        (MASTER_BYTES_MAX, 413),
        (MASTER_BYTES_MAX * 2, 413),
    ],
)
def test_sizes(service: Server, untouched, size: int, status: int) -> None:
    """4.6: the bound is of the base64 text, and is exact."""
    body = b"P" * size
    if status == 200:
        assert master.bridge(service, hotkey(), body).status_code == 200
        return
    with untouched(service):
        assert forms.refused(master.bridge(service, hotkey(), body), status) == "too_large"


def test_size_as_json(service: Server, untouched) -> None:
    """4.6: the same bound of the text itself."""
    code = "A" * (RAW_BYTES_MAX // 3 * 4)
    kind = "application/json"
    fits = bundles.as_json(b"", code=code)
    assert master.bridge(service, hotkey(), fits, Content_Type=kind).status_code == 200
    with untouched(service):
        answer = master.bridge(service, hotkey(), bundles.as_json(b"", code=code + "AAAA"), Content_Type=kind)
        assert forms.refused(answer, 413) == "too_large"


@pytest.mark.parametrize("name", ["a b.zip", "../a.zip", "/a.zip", "a\\b.py", ".zip", "ä.zip", "a.zip/"])
def test_bad_names(service: Server, untouched, name: str) -> None:
    """4.7: a path or a blank is told."""
    sent = master.bridge_headers(hotkey(), b"PK", X_Submission_Filename=name)
    with untouched(service):
        answer = wire.ask(service.address, "POST", master.BRIDGE, sent, b"PK")
        assert forms.refused(answer, 422) == "invalid_request"
        assert forms.places(answer) == [["header", "x-submission-filename"]]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", ["body", "code"]),
        (b"{}", ["body", "code"]),
        (b'{"filename":"a.zip"}', ["body", "code"]),
        (b"[]", ["body"]),
        (b"null", ["body"]),
        (b'"text"', ["body"]),
        (b'{"code":""}', ["body", "code"]),
        (b'{"code":7}', ["body", "code"]),
        (b'{"code":null}', ["body", "code"]),
        (b'{"code":"UEs=","filename":7}', ["body", "filename"]),
        (b'{"code":"UEs=","filename":"a b.zip"}', ["body", "filename"]),
        (b'{"code":"UEs=","filename":"x.txt"}', ["body", "filename"]),
        (b'{"code":"UEs=","filename":"a.zip","metadata":[]}', ["body", "metadata"]),
        (b'{"code":"UEs=","filename":"a.zip","metadata":null}', ["body", "metadata"]),
        (b'{"code":"%%%","filename":"a.zip"}', ["body", "code"]),
        (
            json.dumps({"code": "UEs=", "filename": "a.zip", "metadata": {"x": "y" * 70_000}}).encode(),
            ["body", "metadata"],
        ),
    ],
)
def test_bad_forms(service: Server, untouched, body: bytes, place: list[str]) -> None:
    """4.9: what is missing or of another type is told with its place."""
    with untouched(service):
        answer = master.bridge(service, hotkey(), body, Content_Type="application/json")
        assert forms.refused(answer, 422) == "invalid_request"
        assert place in forms.places(answer)


def test_an_empty_raw_body(service: Server, untouched) -> None:
    """4.9: nothing is no archive."""
    with untouched(service):
        assert forms.refused(master.bridge(service, hotkey(), b""), 422) == "invalid_request"


@pytest.mark.parametrize(
    "body",
    [
        b"{not json",
        b"\xff\xfe{}",
        b'{"code":"\xff"}',
        b"{",
        b"PK\x05\x06",
        b'{"code":"a"} trailing',
        b'{"code":"a","metadata":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    ],
)
def test_no_json(service: Server, untouched, body: bytes) -> None:
    """4.10: what says that it is JSON and is not."""
    with untouched(service):
        answer = master.bridge(service, hotkey(), body, Content_Type="application/json")
        assert forms.refused(answer, 400) == "invalid_json"


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "5" * 129,
        "hk",
        "not an address",
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ",
    ],
)
def test_the_hotkey(service: Server, untouched, value: str | None) -> None:
    """4.11: it is there, short enough, and an address, since it becomes a key of the weights."""
    archive = bundles.bundle()
    sent = master.bridge_headers("", archive, X_Base_Verified_Hotkey=value)
    with untouched(service):
        answer = wire.ask(service.address, "POST", master.BRIDGE, sent, archive)
        assert forms.refused(answer, 422) == "invalid_request"
        assert forms.places(answer) == [["header", "x-base-verified-hotkey"]]


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", f"bearer {TOKEN}"])
def test_no_token(service: Server, untouched, authorization: str | None) -> None:
    """4.12, 8.3: the token alone says that it is the master, also for a body that is large."""
    for archive in (bundles.bundle(), b"P" * MASTER_BYTES_MAX):
        with untouched(service):
            answer = master.bridge(service, hotkey(), archive, Authorization=authorization)
            assert forms.refused(answer, 401) == "invalid_token"


@pytest.mark.parametrize("announced", ["0" * 64, "", "x", keys.sha256(b"other").upper()])
def test_the_hash(service: Server, untouched, announced: str) -> None:
    """4.13: a body that is not the one that was announced is refused."""
    with untouched(service):
        answer = master.bridge(service, hotkey(), bundles.bundle(), X_Base_Request_Hash=announced)
        assert forms.refused(answer, 400) == "hash_mismatch"


def test_forged_miner_headers(service: Server) -> None:
    """4.14: here the master speaks, and what a miner's client signed besides is not looked at."""
    archive, miner = bundles.bundle(), hotkey()
    answer = master.bridge(
        service,
        miner,
        archive,
        X_Hotkey=keys.ALICE,
        X_Signature="00" * 64,
        X_Nonce="n",
        X_Timestamp="1",
    )
    assert answer.status_code == 200
    assert answer.json()["hotkey"] == miner


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
def test_compressed(service: Server, untouched, coding: str) -> None:
    """The contract has no compressed bodies."""
    with untouched(service):
        answer = master.bridge(service, hotkey(), bundles.bundle(), Content_Encoding=coding)
        assert forms.refused(answer, 415) == "unsupported_encoding"
