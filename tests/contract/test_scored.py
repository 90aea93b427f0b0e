"""What the contract says of scored submissions: weights, statuses, curves, boards, architectures."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bittensor_wallet import Keypair

from harness import bundles, forms, keys, looks, master, scored, server, wire
from harness.server import Server

SCORES = [0.41, 0.39, 0.37]


@pytest.fixture(scope="module")
def board(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, list[str]]]:
    """A server with scored submissions, the best first, one that is not believed, and one that waits."""
    one = server.copied(template, tmp_path_factory.mktemp("scored")).start()
    try:
        ids = []
        for _ in range(len(SCORES) + 2):
            answer = master.bridge(one, keys.fresh().ss58_address, bundles.bundle())
            ids.append(answer.json()["id"])
        looks.settle(one.store)
        one.stop()
        for identifier, final_score in zip(ids, SCORES, strict=False):
            scored.score(one.store, identifier, final_score, bpb=1 / final_score - 1)
        scored.score(one.store, ids[len(SCORES)], 0.0, flags=("step0_anomaly",))
        one.start()
        yield one, ids
    finally:
        one.kill()


def read(one: Server, path: str) -> Any:
    """Return a public page as the master passes it on."""
    answer = master.proxied(one, path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert "content-encoding" not in answer.headers
    return answer.json()


def test_weights(board: tuple[Server, list[str]]) -> None:
    """2.2, 2.3: finite, above zero, one in sum, of addresses, and the same when asked again."""
    one, ids = board
    answer = master.get(one, "/internal/v1/get_weights")
    body = answer.json()
    assert "content-encoding" not in answer.headers
    weights = body["weights"]
    assert len(weights) == len(SCORES), "none for what is not believed, and none for what waits"
    assert all(math.isfinite(weight) and weight > 0 for weight in weights.values())
    assert abs(math.fsum(weights.values()) - 1) <= 1e-12
    assert all(Keypair(ss58_address=hotkey).ss58_address == hotkey for hotkey in weights)
    assert all(isinstance(value, str) for value in body["metadata"].values())
    assert {"computed_at", "round", "policy", "inputs_hash"} <= body["metadata"].keys()
    assert master.get(one, "/internal/v1/get_weights").json()["weights"] == weights
    hotkeys = [read(one, f"/v1/submissions/{identifier}")["hotkey"] for identifier in ids]
    ranked = [weights[hotkey] for hotkey in hotkeys[: len(SCORES)]]
    assert ranked == sorted(ranked, reverse=True)
    explained = read(one, "/v1/weights")
    assert explained["weights"] == weights


def test_status(board: tuple[Server, list[str]]) -> None:
    """5.2: the six numbers of a scored submission."""
    one, ids = board
    for identifier, final_score, multiplier in [(ids[0], SCORES[0], 1.0), (ids[3], 0.0, 0.0)]:
        found = read(one, f"/v1/submissions/{identifier}")
        assert found["status"] == "completed"
        assert found["error"] is None
        assert found["final_score"] == found["q_arch"] == final_score
        assert found["anti_cheat_multiplier"] == multiplier
        assert found["q_recipe"] == found["diversity_bonus"] == found["penalty"] == 0.0
        assert all(isinstance(found[name], float) for name in forms.SCORES)


def test_curve(board: tuple[Server, list[str]]) -> None:
    """6.3: at most 500 points, both arrays of one length, and everything that the contract names."""
    one, ids = board
    found = read(one, f"/v1/submissions/{ids[0]}/curve")
    assert found["submission_id"] == ids[0]
    curve = found["loss_curve"]
    assert curve["points"] == len(curve["online_loss"]) == len(curve["covered_bytes_cumulative"])
    assert curve["points"] <= 500
    assert all(isinstance(value, float) for value in curve["online_loss"])
    assert all(isinstance(value, float) for value in curve["covered_bytes_cumulative"])
    assert isinstance(curve["downsampled"], bool)
    assert curve.keys() >= {"step0_loss", "baseline_nats"}
    assert found["bpb"].keys() == {"prequential_bpb", "bits_per_byte"}
    assert found["compute"].keys() >= scored.COMPUTE.keys()
    answer = master.proxied(one, f"/v1/submissions/{ids[-1]}/curve")
    assert forms.refused(answer, 404) == "not_found"
    assert answer.json()["detail"] == "submission curve not found"


def test_leaderboard(board: tuple[Server, list[str]]) -> None:
    """6.1: ranks from 1 without gaps, one line a hotkey, with what the contract names."""
    one, ids = board
    found = read(one, "/v1/leaderboard")
    entries = found["entries"]
    assert isinstance(found["epoch_id"], int)
    assert [entry["rank"] for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry["submission_id"] for entry in entries[: len(SCORES)]] == ids[: len(SCORES)]
    assert [entry["score"] for entry in entries[: len(SCORES)]] == SCORES
    assert len({entry["hotkey"] for entry in entries}) == len(entries)
    assert ids[-1] not in {entry["submission_id"] for entry in entries}


def test_architectures(board: tuple[Server, list[str]]) -> None:
    """6.7: families of submissions, their variants and their report."""
    one, ids = board
    listed = read(one, "/v1/architectures")
    assert isinstance(listed["epoch_id"], int)
    families = listed["architectures"]
    assert [family["rank"] for family in families] == list(range(1, len(families) + 1))
    first = families[0]
    assert first["best_submission_id"] == ids[0]
    assert first["best_final_score"] == SCORES[0]
    assert first["name"].startswith("Contract ")
    alone = read(one, f"/v1/architectures/{first['architecture_id']}")
    assert alone.items() >= {key: first[key] for key in first if key != "rank"}.items()
    assert "rank" not in alone
    assert forms.TIME.fullmatch(alone["first_seen_at"])
    variants = read(one, f"/v1/architectures/{first['architecture_id']}/variants")
    assert variants["architecture_id"] == first["architecture_id"]
    fields = {
        "variant_id",
        "training_hash",
        "owner_hotkey",
        "submission_id",
        "final_score",
        "metric_mean",
        "metric_std",
        "is_current_best",
        "created_at",
    }
    assert all(variant.keys() >= fields for variant in variants["variants"])
    assert [variant["is_current_best"] for variant in variants["variants"]].count(True) == 1
    report = read(one, f"/v1/architectures/{first['architecture_id']}/report")["report"]
    assert report.keys() >= {"status", "content", "model", "generated_at"}
    assert report["status"] in {"ready", "pending", "unavailable"}


def test_events_end(board: tuple[Server, list[str]]) -> None:
    """A stream of what is over tells everything and ends by itself; with the last number it tells the end alone."""
    one, ids = board
    with wire.Connection(one.address) as connection:
        connection.request("GET", f"/v1/submissions/{ids[0]}/events/stream")
        text = connection.answer().body.decode()
    assert text.rstrip().split("\n\n")[-1].startswith("event: end\n")
    numbers = [int(line[4:]) for line in text.splitlines() if line.startswith("id: ")]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 5
    with wire.Connection(one.address) as connection:
        last = {"Last-Event-ID": str(numbers[-1])}
        connection.request("GET", f"/v1/submissions/{ids[0]}/events/stream", last)
        text = connection.answer().body.decode()
    assert "id: " not in text
    assert "event: end\n" in text
