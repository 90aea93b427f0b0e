"""`kill -9` of the server amid uploads, again and again: nothing acknowledged is lost, nothing is there twice."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from harness import bundles, crowd, keys, looks, master, wire
from harness.server import Server

KILLS = 6
UPLOADS_A_KILL = 60
HOTKEYS = 6


def test_killed_amid_uploads(fresh: Callable[..., Server]) -> None:
    """4.15, and the promises of the store: what was answered is there; what was not is sent again and is there once."""
    one = fresh()
    draws = random.Random(11)  # noqa: S311
    acknowledged: dict[bytes, str] = {}
    everything: list[bytes] = []
    number = 0
    for _ in range(KILLS):
        miners = [keys.fresh() for _ in range(HOTKEYS)]
        requests = []
        for at in range(UPLOADS_A_KILL):
            number += 1
            body = bundles.empty_zip(b"%d" % number)
            headers = keys.upload_headers(miners[at % HOTKEYS], body)
            length = {"Content-Length": str(len(body))}
            requests.append(wire.head("POST", "/v1/submissions", {**headers, **length}) + body)
        everything += requests
        killer = threading.Timer(draws.uniform(0.01, 0.12), one.kill)
        killer.start()
        # The last of them is on its way when the server dies, however fast the others are.
        sent = crowd.ask_all(one.address, [*requests[:-1], requests[-1][:-1]], seconds=10)
        killer.join()
        for each in sent:
            if each.status == 200:
                acknowledged[each.request] = json.loads(each.body)["id"]
        one.start()
        for request, identifier in acknowledged.items():
            [row] = looks.query(one.store, "SELECT zip_sha256 FROM submissions WHERE id = ?", identifier)
            body = request.partition(b"\r\n\r\n")[2]
            digest = row[0].hex()
            assert digest == keys.sha256(body)
            path = one.store / "blobs" / digest[:2] / digest[2:]
            assert path.read_bytes() == body
        assert not any(path.startswith("tmp/") for path in looks.blobs(one.store))
    assert acknowledged, "some were answered"
    assert len(acknowledged) < len(everything), "and some were not"
    for at in range(0, len(everything), UPLOADS_A_KILL):
        again = crowd.ask_all(one.address, everything[at : at + UPLOADS_A_KILL], seconds=30)
        for each in again:
            assert each.status == 200, (each.status, each.body)
            identifier = json.loads(each.body)["id"]
            assert acknowledged.get(each.request, identifier) == identifier, "the same answer"
    text = "SELECT hotkey, zip_sha256 FROM submissions"
    assert max(Counter(looks.query(one.store, text)).values()) == 1
    assert looks.query(one.store, "SELECT count(*) FROM submissions") == [(len(everything),)]
    assert looks.query(one.store, "PRAGMA integrity_check") == [("ok",)]
    assert looks.query(one.store, "PRAGMA foreign_key_check") == []


def test_a_master_that_repeats_after_a_kill(fresh: Callable[..., Server]) -> None:
    """4.15: killed between the body and the answer, then handed over again: one submission in the end."""
    one = fresh()
    for pause in (0.0, 0.001, 0.003, 0.01):
        archive, miner = bundles.bundle(), keys.fresh().ss58_address
        headers = master.bridge_headers(miner, archive)
        connection = wire.Connection(one.address)
        connection.request("POST", master.BRIDGE, headers, archive)
        time.sleep(pause)
        one.kill()
        connection.socket.close()
        one.start()
        first = master.bridge(one, miner, archive)
        assert first.status_code == 200
        assert master.bridge(one, miner, archive).json()["id"] == first.json()["id"]
        count = "SELECT count(*) FROM submissions WHERE hotkey = ?"
        assert looks.query(one.store, count, miner) == [(1,)]


def test_what_was_in_checks_goes_on(fresh: Callable[..., Server]) -> None:
    """Killed while submissions are checked: after the restart each comes to where it would have come."""
    one = fresh()
    sent = []
    for at in range(10):
        archive = bundles.refused_bundle() if at % 2 else bundles.empty_zip(b"kill %d" % at)
        sent.append(master.bridge(one, keys.fresh().ss58_address, archive).json()["id"])
        if at % 3 == 0:
            one.kill()
            one.start()
    looks.settle(one.store)
    for identifier in sent:
        found = wire.get(one.address, f"/v1/submissions/{identifier}").ok()
        assert found["status"] == "rejected"
        events = wire.get(one.address, f"/v1/submissions/{identifier}/events").ok()["events"]
        ends = [event for event in events if event["status"] == "rejected"]
        assert len(ends) == 1, "it ended once"


def test_a_damaged_blob_is_mended_by_its_upload(fresh: Callable[..., Server]) -> None:
    """A disk that changes a byte of an archive: the same upload again brings the right bytes back."""
    one = fresh()
    archive, miner = bundles.bundle(), keys.fresh().ss58_address
    first = master.bridge(one, miner, archive).json()
    digest = keys.sha256(archive)
    path = one.store / "blobs" / digest[:2] / digest[2:]
    damaged = bytearray(archive)
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    assert master.bridge(one, miner, archive).json()["id"] == first["id"]
    assert path.read_bytes() == archive
