"""Clients that are slow, vanish in the middle, or talk nonsense: each hears what it can, and nobody else notices."""

import socket
import time
from collections.abc import Callable

import pytest

from harness import bundles, forms, keys, looks, master, wire
from harness.server import Server

ROUTE = "/v1/submissions"
# More than the kernel keeps for a connection on either side, so that a server that does not read is noticed.
LARGE = b"P" * 9_000_000
# What the interface allows between two pieces of a body, and some.
BODY_PAUSE_SECONDS = 10
# What it allows for a head.
HEAD_SECONDS = 30


def early(name: str, body: bytes) -> tuple[str, dict[str, str], int]:
    """Return a request that is refused by its head: route, headers, status."""
    good = keys.upload_headers(keys.fresh(), body)
    match name:
        case "no headers":
            return ROUTE, {}, 422
        case "stale":
            return ROUTE, {**good, "X-Timestamp": "1"}, 401
        case "no time":
            return ROUTE, {**good, "X-Timestamp": "x"}, 400
        case "no hotkey":
            return ROUTE, {**good, "X-Hotkey": "hk"}, 401
        case "compressed":
            return ROUTE, {**good, "Content-Encoding": "gzip"}, 415
        case "no token":
            sent = master.bridge_headers(keys.ALICE, body, Authorization=None)
            return master.BRIDGE, sent, 401
        case "wrong slug":
            sent = master.bridge_headers(keys.ALICE, body, X_Base_Challenge_Slug="other")
            return master.BRIDGE, sent, 400
        case "bad hotkey":
            return master.BRIDGE, master.bridge_headers("hk", body), 422
        case "no route":
            return "/v1/nothing", {}, 404
        case "no method":
            return "/v1/leaderboard", {}, 405
        case "an owner's":
            return "/v1/submissions/x/cancel", {}, 422
        case "no upload":
            return "/internal/v1/checkpoints", {}, 404
    raise AssertionError(name)


EARLY = [
    "no headers",
    "stale",
    "no time",
    "no hotkey",
    "compressed",
    "no token",
    "wrong slug",
    "bad hotkey",
    "no route",
    "no method",
    "an owner's",
    "no upload",
]


@pytest.mark.parametrize("name", EARLY)
@pytest.mark.parametrize("chunked", [False, True])
def test_an_early_refusal_is_heard(service: Server, untouched, name: str, chunked: bool) -> None:
    """A client that sends everything before it looks sees the answer and not a reset."""
    path, headers, status = early(name, LARGE)
    with untouched(service), wire.Connection(service.address) as connection:
        if chunked:
            sent = {**headers, "Transfer-Encoding": "chunked"}
            connection.send(wire.head("POST", path, sent))
            pieces = (LARGE[at : at + 100_000] for at in range(0, len(LARGE), 100_000))
            for piece in wire.chunked(pieces):
                connection.send(piece)
        else:
            connection.request("POST", path, headers, LARGE)
        # Whoever sent all of it may use the connection again.
        forms.refused(connection.answer("POST"), status)
        connection.request("GET", "/health")
        assert connection.answer().status == 200


def test_it_reads_on_for_a_bounded_amount(service: Server, untouched) -> None:
    """A body without an end is not read without an end; the answer was sent long before."""
    with untouched(service), wire.Connection(service.address) as connection:
        connection.send(wire.head("POST", ROUTE, {"Transfer-Encoding": "chunked"}))
        chunk = next(wire.chunked([b"P" * 1_000_000]))
        sent = 0
        with pytest.raises(OSError, match=r"reset|[Bb]roken"):  # noqa: PT012
            while sent < 200_000_000:
                connection.send(chunk)
                sent += len(chunk)
        assert sent >= len(LARGE), "but for long enough"


def test_the_answer_does_not_wait_for_the_body(service: Server) -> None:
    """A client that looks while it sends learns at once that it need not go on."""
    with wire.Connection(service.address) as connection:
        connection.send(wire.head("POST", ROUTE, {"Content-Length": str(len(LARGE))}))
        connection.send(LARGE[:1000])
        connection.socket.settimeout(BODY_PAUSE_SECONDS / 2)
        assert forms.refused(connection.answer("POST"), 422) == "invalid_request"


@pytest.mark.parametrize("announced", [len(LARGE) * 2, 10_100_001])
def test_whoever_asks_first_sends_nothing(service: Server, untouched, announced: int) -> None:
    """`Expect: 100-continue`: a refusal comes instead of the leave to go on."""
    body = b"P"
    headers = keys.upload_headers(keys.fresh(), body)
    extra = {"Expect": "100-continue", "Content-Length": str(announced)}
    with untouched(service), wire.Connection(service.address) as connection:
        connection.send(wire.head("POST", ROUTE, {**headers, **extra}))
        line = connection.socket.recv(64, socket.MSG_PEEK)
        assert line.startswith(b"HTTP/1.1 413"), "and no leave before it"
        assert forms.refused(connection.answer("POST"), 413) == "too_large"


def test_leave_to_go_on(service: Server) -> None:
    """`Expect: 100-continue`: whoever is welcome is told so."""
    body = bundles.bundle()
    headers = {**keys.upload_headers(keys.fresh(), body), "Expect": "100-continue"}
    with wire.Connection(service.address) as connection:
        connection.send(wire.head("POST", ROUTE, {**headers, "Content-Length": str(len(body))}))
        assert connection.socket.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(body)
        assert connection.answer("POST").ok()["status"] == "pending"


@pytest.mark.parametrize("announced", [False, True])
def test_oversized(service: Server, untouched, announced: bool) -> None:
    """Told so, however it is announced, and to a client that sends all of it first."""
    body = b"P" * 15_000_000
    headers = keys.upload_headers(keys.fresh(), body)
    with untouched(service), wire.Connection(service.address) as connection:
        if announced:
            connection.request("POST", ROUTE, headers, body)
        else:
            connection.send(wire.head("POST", ROUTE, {**headers, "Transfer-Encoding": "chunked"}))
            pieces = (body[at : at + 100_000] for at in range(0, len(body), 100_000))
            for piece in wire.chunked(pieces):
                connection.send(piece)
        assert forms.refused(connection.answer("POST"), 413) == "too_large"


@pytest.mark.parametrize("part", [0, 1, 500, -1])
def test_cut(service: Server, untouched, part: int) -> None:
    """Who goes away in the middle has submitted nothing; the same request later is taken."""
    key, body = keys.fresh(), bundles.bundle()
    headers = keys.upload_headers(key, body)
    with untouched(service):
        for vanish in (False, True):
            connection = wire.Connection(service.address)
            length = {"Content-Length": str(len(body))}
            connection.send(wire.head("POST", ROUTE, {**headers, **length}) + body[:part])
            if vanish:
                connection.reset()
            else:
                connection.socket.shutdown(socket.SHUT_WR)
                # A server may hear of the end before it has begun to read, and then says nothing.
                said = connection.socket.recv(4096)
                assert not said or said.startswith(b"HTTP/1.1 400")
                connection.socket.close()
        wire.eventually(lambda: wire.get(service.address, "/health").status == 200 or None)
    assert wire.ask(service.address, "POST", ROUTE, headers, body).ok()["status"] == "pending"


def test_vanished_after_sending(service: Server) -> None:
    """Who does not wait for the answer may have submitted: the same request again hears which."""
    key, body = keys.fresh(), bundles.bundle()
    headers = keys.upload_headers(key, body)
    for _ in range(3):
        connection = wire.Connection(service.address)
        connection.request("POST", ROUTE, headers, body)
        connection.reset()
    first = wire.ask(service.address, "POST", ROUTE, headers, body).ok()
    again = wire.ask(service.address, "POST", ROUTE, headers, body).ok()
    assert first["id"] == again["id"]
    count = "SELECT count(*) FROM submissions WHERE hotkey = ?"
    assert looks.query(service.store, count, key.ss58_address) == [(1,)]


def test_slow_ones_hold_up_nobody(service: Server, untouched) -> None:
    """Heads, bodies and readers that stand still: they are cut in time, and everybody else is served meanwhile."""
    body = bundles.bundle()
    with untouched(service):
        heads = [wire.Connection(service.address) for _ in range(20)]
        for one in heads:
            one.send(b"POST /v1/submissions HTTP/1.1\r\nHost: x\r\nX-Hot")
        bodies = [wire.Connection(service.address) for _ in range(20)]
        for one in bodies:
            headers = keys.upload_headers(keys.fresh(), body)
            length = {"Content-Length": str(len(body))}
            one.send(wire.head("POST", ROUTE, {**headers, **length}) + body[:10])
        readers = [wire.Connection(service.address) for _ in range(5)]
        for one in readers:
            one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.send(wire.head("GET", "/openapi.json", {}) * 50)
        begun = time.monotonic()
        for _ in range(20):
            assert wire.get(service.address, "/v1/leaderboard").status == 200
        assert time.monotonic() - begun < BODY_PAUSE_SECONDS / 2, "nobody waited for them"
        for one in bodies:
            answer = one.answer("POST")
            assert forms.refused(answer, 408) == "request_timeout"
            assert answer.headers["connection"] == "close"
            assert one.is_closed()
        assert time.monotonic() - begun < HEAD_SECONDS + 15
        for one in heads:
            one.socket.settimeout(HEAD_SECONDS + 15)
            while one.socket.recv(4096):
                pass
        for one in [*heads, *bodies, *readers]:
            one.socket.close()


def test_uploads_that_stand_still_keep_nobody_out(service: Server) -> None:
    """Large uploads that stop in the middle hold what they have sent, and a small one is taken all the same."""
    holding = []
    for _ in range(20):
        headers = keys.upload_headers(keys.fresh(), LARGE)
        connection = wire.Connection(service.address)
        connection.send(wire.head("POST", ROUTE, {**headers, "Content-Length": str(len(LARGE))}))
        connection.send(LARGE[:4_000_000])
        holding.append(connection)
    body = bundles.bundle()
    headers = keys.upload_headers(keys.fresh(), body)
    assert wire.ask(service.address, "POST", ROUTE, headers, body).ok()["status"] == "pending"
    for connection in holding:
        connection.reset()


NONSENSE = {
    "blank lines": b"\r\n\r\n\r\n",
    "no path": b"GET\r\n\r\n",
    "a version of the future": b"GET / HTTP/9.9\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a long path": b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long header": b"GET /health HTTP/1.1\r\nHost: x\r\nCookie: " + b"x" * 200_000 + b"\r\n\r\n",
    "many headers": b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X-A: y\r\n" * 500 + b"\r\n",
    "two lengths": b"POST /v1/submissions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a negative length": b"POST /v1/submissions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a length that is none": b"POST /v1/submissions HTTP/1.1\r\nHost: x\r\nContent-Length: 5x\r\n\r\n",
    "chunks that are none": b"POST /v1/submissions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk that is huge": b"POST /v1/submissions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"ffffffffffffffffff\r\n",
    "length and chunks": b"POST /v1/submissions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    "a header with a null": b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n",
    "a folded header": b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n",
    "a blank before the colon": b"GET /health HTTP/1.1\r\nHost: x\r\nX-A : a\r\n\r\n",
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense(service: Server, untouched, name: str) -> None:
    """It is refused or not understood, never a 5xx, and the next client is served."""
    with untouched(service):
        with wire.Connection(service.address) as connection:
            try:
                connection.send(NONSENSE[name])
                connection.socket.shutdown(socket.SHUT_WR)
                said = b""
                while piece := connection.socket.recv(65536):
                    said += piece
            except OSError:
                said = b""
        lines = [line for line in said.split(b"\r\n") if line.startswith(b"HTTP/1.")]
        assert all(not line.split()[1].startswith(b"5") for line in lines), lines
        assert b"smuggled" not in said
        assert wire.get(service.address, "/health").status == 200


def test_many_streams(service: Server) -> None:
    """Whoever follows one submission hears of that one, and a follower that reads nothing holds up nobody."""
    key, other = keys.fresh(), keys.fresh()
    ids = []
    for each in (key, other):
        body = bundles.bundle()
        headers = keys.upload_headers(each, body)
        ids.append(wire.ask(service.address, "POST", ROUTE, headers, body).ok()["id"])
    looks.settle(service.store)
    followers = []
    for identifier in ids:
        for _ in range(20):
            connection = wire.Connection(service.address)
            connection.request("GET", f"/v1/submissions/{identifier}/events/stream")
            followers.append((identifier, connection))
    path = f"/v1/submissions/{ids[0]}/cancel"
    answer = wire.ask(service.address, "POST", path, keys.owner_headers(key, "POST", path), b"")
    assert answer.ok()["state"] == "cancelled"
    for identifier, connection in followers:
        if identifier == ids[0]:
            text = connection.answer().body.decode()
            assert "event: end\n" in text, "it ends by itself"
            assert ids[1] not in text
        connection.socket.close()


def test_one_client_has_its_share(fresh: Callable[..., Server]) -> None:
    """Without the exception for this machine: so many uploads, then 429 with the time to wait, and nothing stored."""
    one = fresh(environment={"PRISM_SERVER__UNLIMITED_CLIENTS": "10.0.0.0/8"})
    before = looks.look(one.store)
    body = bundles.bundle()
    stale = {**keys.upload_headers(keys.fresh(), body), "X-Timestamp": "1"}

    def until_refused(claim: Callable[[int], dict[str, str]]) -> wire.Answer:
        # A place comes back each second, and this asks far more often.
        for at in range(2000):
            answer = wire.ask(one.address, "POST", ROUTE, {**stale, **claim(at)}, body)
            if answer.status == 429:
                return answer
            assert forms.refused(answer, 401) == "stale_signature"
        raise AssertionError("it was never refused")

    answer = until_refused(lambda _: {})
    assert forms.refused(answer, 429) == "rate_limited"
    assert int(answer.headers["retry-after"]) >= 1
    # Nobody says who they are but a proxy that is trusted.
    until_refused(lambda at: {"X-Forwarded-For": f"10.1.{at // 250}.{at % 250}"})
    assert looks.look(one.store).added(before) == {}
    assert master.get(one, "/internal/v1/get_weights").status_code == 200, "the master is not counted"
