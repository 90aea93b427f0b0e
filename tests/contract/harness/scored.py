"""A store as evaluations leave it: scores, curves and flags, written into the tables of a server that is stopped.

No evaluation can run here, and the contract has much to say of what is scored. Rows are those of two runs that ended
well, the second of them the confirmation; the server ranks, weighs and shows them like any others. Every CHECK and
foreign key of the tables holds for them.
"""

import hashlib
import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from . import looks

US = 1_000_000
POINTS = 500


def put_blob(store: Path, data: bytes) -> bytes:
    """Put a file among the blobs and return its hash."""
    digest = hashlib.sha256(data)
    path = store / "blobs" / digest.hexdigest()[:2] / digest.hexdigest()[2:]
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(data)
    return digest.digest()


def curve(points: int) -> dict[str, Any]:
    """Return a curve that falls."""
    return {
        "online_loss": [5.5 - 4.0 * at / points for at in range(points)],
        "covered_bytes_cumulative": [float(1000 * (at + 1)) for at in range(points)],
        "step0_loss": 5.5,
        "baseline_nats": 5.545,
        "points": points,
        "downsampled": points == POINTS,
    }


COMPUTE = {
    "gpu_count": 0,
    "device": "cpu",
    "gpu_tier": None,
    "model_params": 45_000,
    "tokens_consumed": 900_000,
    "estimated_flops": 2.43e11,
    "wall_clock_seconds": 41.5,
    "gpu_hours": 0.0,
    "peak_vram_bytes": None,
    "peak_rss_bytes": 700_000_000,
}


def score(
    store: Path,
    submission: str,
    final_score: float,
    *,
    bpb: float = 1.5,
    flags: tuple[str, ...] = (),
) -> None:
    """Give a submission that waits a score, as two runs would."""
    blob = put_blob(store, json.dumps(curve(POINTS)).encode())
    at = int(time.time() * US)
    with closing(sqlite3.connect(store / looks.DATABASE, isolation_level=None)) as base:
        base.execute("PRAGMA foreign_keys = ON")
        base.execute("BEGIN IMMEDIATE")
        [(seq, round_id, hotkey)] = base.execute(
            "SELECT seq, round_id, hotkey FROM submissions WHERE id = ?", (submission,)
        ).fetchall()
        result = 0
        for number, kind in [(1, "main"), (2, "confirm")]:
            attempt = base.execute(
                "INSERT INTO attempts (submission, round_id, kind, number, nonce, executor, seed,"
                " audit_rate_factor, state, created_at, started_at, ended_at, reason, sentence,"
                " wall_seconds, evidence_json, charged_day, charged_to)"
                " VALUES (?, ?, ?, ?, ?, 'local', 7, ?, 'ended', ?, ?, ?, 'end_of_data', 'it ended',"
                " 41.5, '{}', ?, ?)",
                (
                    *(seq, round_id, kind, number, os.urandom(16), 1 if number == 1 else 10),
                    *(at, at, at, at // US // 86_400 if number == 1 else None),
                    hotkey if number == 1 else None,
                ),
            ).lastrowid
            result = base.execute(
                "INSERT INTO results (submission, attempt_id, round_id, kind, stored_at, engine_version, bpb,"
                " bpb_se, bpb_ranked, final_score, rehearsal, flags_json, audits, covered_bytes, stream_bytes,"
                " compute_json, curve_sha256) VALUES (?, ?, ?, ?, ?, '0.1.0', ?, 0.001, ?, ?, 0, ?, 5000,"
                " 1000000, 1000000, ?, ?)",
                (
                    *(seq, attempt, round_id, kind, at, bpb, bpb + 0.003, final_score),
                    *(json.dumps(list(flags)), json.dumps(COMPUTE), blob),
                ),
            ).lastrowid
        steps = [
            ("running", "training"),
            ("running", "scoring"),
            ("running", "confirming"),
            ("completed", None),
        ]
        for status, stage in steps:
            base.execute(
                "INSERT INTO events (submission, at, actor, status, stage, reason, sentence, evidence_json)"
                " VALUES (?, ?, 'service', ?, ?, ?, 'a step', '{}')",
                (seq, at, status, stage, "end_of_data" if stage is None else None),
            )
        base.execute(
            "UPDATE submissions SET status = 'completed', stage = NULL, wait = NULL, wait_sentence = NULL,"
            " waiting_since = NULL, not_before = NULL, reason = 'end_of_data', sentence = 'it is scored',"
            " result_id = ?, updated_at = ? WHERE seq = ?",
            (result, at, seq),
        )
        base.execute("COMMIT")
