"""The vector of the contract: a signature that was made elsewhere, at a fixed time, over fixed bytes."""

import base64
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sr25519
from bittensor_wallet import Keypair

from harness import forms, keys, server, wire
from harness.server import Server

BODY = b'{"filename":"a.zip","code":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==","metadata":{}}'
BODY_SHA256 = "4d603fcfa0a89985333b4e84dea62f6abf94053fa831136d52e64d4aa524d004"
AT = 1_767_225_600
NONCE = "vector-1"
SIGNED = f"prism:{keys.ALICE}:{NONCE}:{AT}:{BODY_SHA256}".encode()
PLAIN = (
    "3e500874850cb1b7dd9b77f5923a1c7fb3b76aa435680af2309a737466d0a643"
    "3ae2c50cc6c921c00702caf254442268755fa54556bc2b4c997398fb3171b588"
)
WRAPPED = (
    "dce12a12cffe6cef30727e57a6688310f27ad53f5a324befc79aed59a4ab063b"
    "562eefdb6dc621dea54e5cc5b062e9b55502bffeea150a13d97a388a45512982"
)
TO_MASTER = (
    f"base-upload-v1:100:prism:POST:/v1/challenges/prism/submissions:{keys.ALICE}:{NONCE}:{AT}:{BODY_SHA256}"
).encode()
TO_MASTER_SIGNATURE = (
    "90f7eacda91da463424fc45b229f139a8a83b2e586e02459d22b42f00e1e671e"
    "00ee8173c2caefd89b50f41400b85ff5508cb2a2385ba3c94dfea5047e9e5a86"
)


def last_byte_changed(signature: str) -> str:
    """Return another signature of the same length."""
    return signature[:-2] + f"{int(signature[-2:], 16) ^ 1:02x}"


@pytest.fixture(scope="module")
def then(clock: Path, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose clock stands at the time of the vector."""
    one = server.copied(template, tmp_path_factory.mktemp("vector"), clock=clock)
    one.set_clock(AT - int(time.time()))
    one.start()
    try:
        yield one
    finally:
        one.kill()


def sent(signature: str, used: str = NONCE) -> dict[str, str]:
    """Return the headers of the vector with this signature."""
    return {
        "Content-Type": "application/json",
        "X-Hotkey": keys.ALICE,
        "X-Signature": signature,
        "X-Nonce": used,
        "X-Timestamp": str(AT),
    }


def test_both_libraries_agree_with_the_vector() -> None:
    """What the contract says was signed is what two libraries verify."""
    assert hashlib.sha256(BODY).hexdigest() == BODY_SHA256
    public = Keypair(ss58_address=keys.ALICE).public_key
    public = bytes(public) if not isinstance(public, str) else bytes.fromhex(public.removeprefix("0x"))
    for text, signature in [
        (SIGNED, PLAIN),
        (b"<Bytes>" + SIGNED + b"</Bytes>", WRAPPED),
        (TO_MASTER, TO_MASTER_SIGNATURE),
    ]:
        assert Keypair(ss58_address=keys.ALICE).verify(text, bytes.fromhex(signature))
        assert sr25519.verify(bytes.fromhex(signature), text, public)
        changed = bytes.fromhex(last_byte_changed(signature))
        assert not Keypair(ss58_address=keys.ALICE).verify(text, changed)


@pytest.mark.parametrize("signature", [PLAIN, WRAPPED], ids=["plain", "wrapped"])
def test_changed_signatures_are_refused(then: Server, signature: str, untouched) -> None:
    """A byte more, a byte that differs, another nonce: none of them verifies."""
    for wrong, used in [
        (last_byte_changed(signature), NONCE),
        ("01" + signature, NONCE),
        (signature[2:], NONCE),
        ("0X" + signature, NONCE),
        ("", NONCE),
        (signature, "vector-2"),
    ]:
        with untouched(then):
            answer = wire.ask(then.address, "POST", "/v1/submissions", sent(wrong, used), BODY)
            assert forms.refused(answer, 401) == "invalid_signature"


def test_it_is_taken_in_each_spelling(fresh, clock: Path) -> None:
    """Plain and wrapped, with and without `0x`, in either case: one submission, the same answer."""
    spellings = [
        spelling
        for signature in (PLAIN, WRAPPED)
        for spelling in (signature, "0x" + signature, signature.upper(), "0x" + signature.upper())
    ]
    ids = set()
    code = base64.b64encode(base64.b64decode("UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==")).decode()
    for spelling in (PLAIN, WRAPPED):
        one = fresh(clock=clock)
        one.set_clock(AT - int(time.time()))
        same = [each for each in spellings if each.lower().removeprefix("0x") == spelling]
        assert len(same) == 4
        for each in same:
            body = wire.ask(one.address, "POST", "/v1/submissions", sent(each), BODY).ok()
            forms.submission(body, keys.ALICE, hashlib.sha256(code.encode()).hexdigest())
            assert body["status"] == "pending"
            assert body["epoch_id"] == AT // forms.EPOCH_SECONDS
            assert body["created_at"].startswith("2026-01-01T00:")
            ids.add((spelling, body["id"]))
    assert len(ids) == 2, "repeats of one request get one answer"


def test_today_it_is_stale(service: Server, untouched) -> None:
    """The vector is of the past: a server whose clock is right does not look at its signature."""
    with untouched(service):
        answer = wire.ask(service.address, "POST", "/v1/submissions", sent(PLAIN), BODY)
        assert forms.refused(answer, 401) == "stale_signature"
