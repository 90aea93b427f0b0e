"""A thousand uploads at once: each is answered, each is stored once, and the master's reads go on meanwhile."""

import json
import os
import threading
import time
from collections.abc import Callable

from harness import bundles, crowd, keys, looks, master, wire
from harness.server import Server

UPLOADS = int(os.environ.get("PRISM_CONTRACT_UPLOADS", "1000"))
SECONDS = 60
HOTKEYS = 50
# A hotkey may send so many in a minute.
BURST = 20


def test_uploads_at_once(fresh: Callable[..., Server]) -> None:
    """2.7, 7: all of them are taken, none twice, and weights come within a second."""
    one = fresh()
    miners = [keys.fresh() for _ in range(max(HOTKEYS, UPLOADS // BURST))]
    requests = []
    for at in range(UPLOADS):
        body = bundles.empty_zip(b"%d" % at)
        headers = keys.upload_headers(miners[at % len(miners)], body)
        pairs = {**headers, "Content-Length": str(len(body))}
        requests.append(wire.head("POST", "/v1/submissions", pairs) + body)
    slowest, over = [0.0], threading.Event()

    def weigh() -> None:
        while not over.is_set():
            begun = time.monotonic()
            assert master.get(one, "/internal/v1/get_weights").status_code == 200
            slowest[0] = max(slowest[0], time.monotonic() - begun)
            time.sleep(0.05)

    reader = threading.Thread(target=weigh)
    reader.start()
    try:
        sent = crowd.ask_all(one.address, requests, seconds=SECONDS)
    finally:
        over.set()
        reader.join()
    statuses = {each.status for each in sent}
    assert statuses == {200}, statuses
    ids = [json.loads(each.body)["id"] for each in sent]
    assert len(set(ids)) == UPLOADS
    stored = {row[0] for row in looks.query(one.store, "SELECT id FROM submissions")}
    assert stored == set(ids)
    assert 0 < slowest[0] < master.READ_SECONDS
    # Sent again, word for word: the same answers, and nothing new.
    again = crowd.ask_all(one.address, requests, seconds=SECONDS)
    assert [json.loads(each.body)["id"] for each in again] == ids
    assert looks.query(one.store, "SELECT count(*) FROM submissions") == [(UPLOADS,)]
    count = "SELECT count(*) FROM nonces"
    assert looks.query(one.store, count) == [(UPLOADS,)]


def test_one_request_many_times_at_once(fresh: Callable[..., Server]) -> None:
    """The very same request on a hundred connections is one submission, and each hears of it."""
    one = fresh()
    body = bundles.bundle()
    headers = keys.upload_headers(keys.fresh(), body)
    request = wire.head("POST", "/v1/submissions", {**headers, "Content-Length": str(len(body))}) + body
    sent = crowd.ask_all(one.address, [request] * 100, seconds=SECONDS)
    heard = {(each.status, json.loads(each.body)["id"]) for each in sent if each.status == 200}
    assert len(heard) == 1, "one submission"
    # Before the first is stored the others count against the hotkey's rate, and may be told to come again.
    assert {each.status for each in sent} <= {200, 429}
    assert looks.query(one.store, "SELECT count(*) FROM submissions") == [(1,)]
    assert looks.query(one.store, "SELECT count(*) FROM nonces") == [(1,)]


def test_one_nonce_for_many_bodies_at_once(fresh: Callable[..., Server]) -> None:
    """Of many requests with one nonce exactly one is taken, whatever the order in which they come."""
    one = fresh()
    key, used = keys.fresh(), keys.nonce()
    requests = []
    for at in range(20):
        body = bundles.empty_zip(b"%d" % at)
        headers = keys.upload_headers(key, body, used=used)
        length = {"Content-Length": str(len(body))}
        requests.append(wire.head("POST", "/v1/submissions", {**headers, **length}) + body)
    sent = crowd.ask_all(one.address, requests, seconds=SECONDS)
    assert sorted(each.status or 0 for each in sent) == [200] + [409] * 19
    assert looks.query(one.store, "SELECT count(*) FROM submissions") == [(1,)]
