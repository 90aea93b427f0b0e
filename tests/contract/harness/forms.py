"""The forms of answers that the contract fixes: refusals, submissions, times, and the objects of the public routes."""

import re
from typing import Any

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
EPOCH_SECONDS = 21_600
STATES = {"pending", "running", "completed", "failed", "rejected", "held"}
SCORES = (
    "final_score",
    "q_arch",
    "q_recipe",
    "anti_cheat_multiplier",
    "diversity_bonus",
    "penalty",
)


def refusal(status: int, headers: Any, body: Any) -> str:
    """Check the form of a refusal and return its code."""
    assert headers["content-type"] == "application/json", headers["content-type"]
    assert headers["x-request-id"], "a refusal can be found in the log"
    assert body["status"] == status, body
    assert isinstance(body["title"], str), body
    assert body["instance"].endswith(headers["x-request-id"]), body
    if status == 422:
        assert body["detail"], "what is wrong is told"
        for fault in body["detail"]:
            assert {"type", "loc", "msg", "input"} <= fault.keys(), fault
            assert isinstance(fault["type"], str), fault
            assert isinstance(fault["msg"], str), fault
            assert all(isinstance(part, str) for part in fault["loc"]), fault
    else:
        assert isinstance(body["detail"], str), body
        assert body["detail"], body
    return str(body["code"])


def refused(answer: Any, status: int) -> str:
    """Check that an answer is a refusal of this status, of either client, and return its code."""
    found = answer.status_code if hasattr(answer, "status_code") else answer.status
    text = answer.content if hasattr(answer, "content") else answer.body
    assert found == status, (found, text[:1000])
    return refusal(status, answer.headers, answer.json())


def places(answer: Any) -> list[list[str]]:
    """Return where the faults of a 422 are."""
    return [fault["loc"] for fault in answer.json()["detail"]]


def submission(body: dict[str, Any], hotkey: str, code_hash: str) -> str:
    """Check the object that an upload is answered with, and return its id."""
    assert UUID.fullmatch(body["id"]), body
    assert body["hotkey"] == hotkey, body
    assert isinstance(body["epoch_id"], int), body
    assert body["status"] in STATES, body
    assert body["code_hash"] == code_hash, body
    assert TIME.fullmatch(body["created_at"]), body
    return str(body["id"])
