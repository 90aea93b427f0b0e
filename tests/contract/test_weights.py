"""Sections 2 and 3 of the master's requests: weights and work units, before anything is scored."""

from collections.abc import Callable

import pytest

from harness import bundles, forms, keys, looks, master, wire
from harness.server import TOKEN, Server

WEIGHTS = "/internal/v1/get_weights"
INTERNAL = ["get_weights", "work_units"]


def test_nothing_is_scored(service: Server) -> None:
    """2.1: no weights are an answer, not an error; and it is not compressed, though that was asked for."""
    answer = master.get(service, WEIGHTS)
    assert answer.request.headers["accept-encoding"] == "gzip, deflate"
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert answer.status_code == 200
    assert body["challenge_slug"] == "prism"
    assert isinstance(body["epoch"], int)
    assert body["weights"] == {}
    assert all(isinstance(value, str) for value in body["metadata"].values())
    assert forms.TIME.fullmatch(body["metadata"]["computed_at"])


def test_twice_the_same(service: Server) -> None:
    """2.3: nothing has changed, and neither have the weights."""
    first, second = (master.get(service, WEIGHTS).json() for _ in range(2))
    assert first["weights"] == second["weights"]
    assert first["metadata"] == second["metadata"]


@pytest.mark.parametrize("route", INTERNAL)
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Bearer wrong",
        f"bearer {TOKEN}",
        f"Bearer  {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer ",
        "",
    ],
)
def test_the_token(service: Server, untouched, route: str, authorization: str | None) -> None:
    """2.4, 3.2: the whole header is compared, its scheme's case too."""
    headers = master.headers(token=None)
    if authorization is not None:
        headers["Authorization"] = authorization
    with untouched(service):
        answer = wire.get(service.address, f"/internal/v1/{route}", headers)
        assert forms.refused(answer, 401) == "invalid_token"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_two_tokens_are_none(service: Server) -> None:
    """2.4: whoever sends two, one of them right, is not the master."""
    pairs = [*master.headers().items(), ("Authorization", f"Bearer {TOKEN}")]
    assert forms.refused(wire.get(service.address, WEIGHTS, pairs), 401) == "invalid_token"


@pytest.mark.parametrize("route", INTERNAL)
@pytest.mark.parametrize("slug", [None, "other", "PRISM", ""])
def test_the_slug(service: Server, route: str, slug: str | None) -> None:
    """2.5: a request for another challenge is told so."""
    answer = master.get(service, f"/internal/v1/{route}", master.headers(slug=slug))
    assert forms.refused(answer, 400) == "wrong_slug"


def test_the_old_name_of_the_slug_header(service: Server) -> None:
    """2.5: only the present name counts."""
    headers = {**master.headers(slug=None), "X-Platform-Challenge-Slug": "prism"}
    assert forms.refused(master.get(service, WEIGHTS, headers), 400) == "wrong_slug"


@pytest.mark.parametrize("token", [None, "", "   "])
def test_no_token_is_configured(fresh: Callable[..., Server], token: str | None) -> None:
    """2.6: then nobody is the master, and every internal route says so."""
    one = fresh(environment={"PRISM_SHARED_TOKEN": token})
    for sent in (master.headers(), master.headers(token=""), master.headers(token=None)):
        for route in INTERNAL:
            answer = wire.get(one.address, f"/internal/v1/{route}", sent)
            assert forms.refused(answer, 503) == "token_not_configured"
    answer = wire.ask(
        one.address,
        "POST",
        master.BRIDGE,
        master.bridge_headers(keys.ALICE, b"x"),
        b"x",
    )
    assert forms.refused(answer, 503) == "token_not_configured"
    assert looks.query(one.store, "SELECT count(*) FROM submissions") == [(0,)]


def test_all_refused(fresh: Callable[..., Server]) -> None:
    """2.8: everything was rejected or is held, and there are no weights, which is no error."""
    one = fresh()
    for body in (bundles.refused_bundle(), bundles.empty_zip(b"no bundle")):
        assert master.bridge(one, keys.fresh().ss58_address, body).status_code == 200
    looks.settle(one.store)
    states = {row[0] for row in looks.query(one.store, "SELECT status FROM submissions")}
    assert states == {"rejected"}
    answer = master.get(one, WEIGHTS)
    assert answer.status_code == 200
    assert answer.json()["weights"] == {}


def test_work_units(service: Server) -> None:
    """3.1: this service evaluates by itself, whatever is pending."""
    sent = master.bridge(service, keys.fresh().ss58_address, bundles.bundle())
    assert sent.json()["status"] == "pending"
    answer = master.get(service, "/internal/v1/work_units")
    assert answer.status_code == 200
    assert answer.json() == {"challenge_slug": "prism", "work_units": []}
    assert "content-encoding" not in answer.headers


def test_process_next_and_checkpoints(service: Server, untouched) -> None:
    """The other internal routes: work is done by itself, and checkpoints are not taken."""
    path = "/internal/v1/worker/process-next"
    with untouched(service):
        answer = wire.ask(service.address, "POST", path, master.headers(), b"")
        assert answer.ok() == {"submission_id": None}
        assert forms.refused(wire.ask(service.address, "POST", path, {}, b""), 401)
        answer = wire.ask(service.address, "POST", "/internal/v1/checkpoints", master.headers(), b"{}")
        assert forms.refused(answer, 404) == "not_offered"
        for path in ("/internal/v1/work_units/result", "/internal/v1/audit_units/1/result"):
            assert forms.refused(wire.ask(service.address, "POST", path, {}, b""), 404)
