"""The peer of the benchmark: the same four answers by FastAPI over SQLite, as services of this kind are usually built.

Started by `bench/service.py`, which also fills it. It does what PRISM's service does for the same request: a board of the best
submissions by score, the state of one submission, and a signed upload that is durable before it is acknowledged. It gets what
makes it fast: uvloop, httptools, two workers, WAL, prepared statements, one connection a thread.
"""

import hashlib
import os
import sqlite3
import sys
import threading
import time
import uuid
from pathlib import Path

import sr25519
from fastapi import FastAPI, HTTPException, Request

DIR = Path(os.environ.get("PEER_DIR", "."))
BOARD_ROWS = int(os.environ.get("PEER_BOARD_ROWS", "100"))
SCHEMA = """
CREATE TABLE IF NOT EXISTS submissions (
    id TEXT PRIMARY KEY, hotkey TEXT NOT NULL, epoch_id INTEGER NOT NULL, status TEXT NOT NULL, code_hash TEXT NOT NULL,
    filename TEXT NOT NULL, created_at TEXT NOT NULL, error TEXT);
CREATE TABLE IF NOT EXISTS scores (
    submission_id TEXT PRIMARY KEY REFERENCES submissions(id), final_score REAL NOT NULL, q_arch REAL, q_recipe REAL,
    metrics TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_score ON scores(final_score DESC);
CREATE INDEX IF NOT EXISTS by_hotkey ON submissions(hotkey);
CREATE TABLE IF NOT EXISTS nonces (hotkey TEXT, nonce TEXT, at INTEGER, PRIMARY KEY (hotkey, nonce));
"""

app = FastAPI()
local = threading.local()


def connection() -> sqlite3.Connection:
    """Return this thread's connection."""
    found = getattr(local, "connection", None)
    if found is None:
        found = local.connection = sqlite3.connect(DIR / "peer.sqlite3", timeout=30)
        found.execute("PRAGMA journal_mode = WAL")
        found.execute("PRAGMA synchronous = FULL")
        found.row_factory = sqlite3.Row
    return found


def fill(count: int) -> None:
    """Add as many submissions as PRISM's store has, half of them with a score."""
    DIR.mkdir(parents=True, exist_ok=True)
    (DIR / "blobs").mkdir(exist_ok=True)
    db = connection()
    db.executescript(SCHEMA)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for i in range(count):
        submission = str(uuid.UUID(bytes=hashlib.sha256(i.to_bytes(8, "little")).digest()[:16]))
        status = "completed" if i % 2 else "failed"
        db.execute(
            "INSERT INTO submissions VALUES (?, ?, 1, ?, ?, 'bundle.zip', ?, NULL)",
            (submission, f"hotkey {i}", status, submission * 2, now),
        )
        if i % 2:
            bpb = 1.0 + (i % 9973) / 1e4
            db.execute(
                "INSERT INTO scores VALUES (?, ?, 0.5, 0.5, '{}')", (submission, 1.0 / (1.0 + bpb))
            )
        if i == count // 2:
            (DIR / "some_id").write_text(submission)
    db.commit()


@app.get("/v1/leaderboard")
def leaderboard() -> dict[str, object]:
    """Return the best submissions of the epoch, best first."""
    rows = connection().execute(
        "SELECT s.id, s.hotkey, s.status, s.created_at, c.final_score, c.q_arch, c.q_recipe FROM scores c JOIN submissions s "
        "ON s.id = c.submission_id WHERE s.epoch_id = 1 ORDER BY c.final_score DESC, s.created_at LIMIT ?",
        (BOARD_ROWS,),
    )
    return {"epoch_id": 1, "entries": [{"rank": n, **dict(row)} for n, row in enumerate(rows, 1)]}


@app.get("/v1/submissions/{submission}")
def status(submission: str) -> dict[str, object]:
    """Return the state of one submission."""
    row = connection().execute(
        "SELECT s.*, c.final_score, c.q_arch, c.q_recipe, c.metrics FROM submissions s LEFT JOIN scores c "
        "ON c.submission_id = s.id WHERE s.id = ?",
        (submission,),
    ).fetchone()
    if row is None:
        raise HTTPException(404, "submission not found")
    return dict(row)


def decode(address: str) -> bytes:
    """Return the public key of an SS58 address."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for letter in address:
        number = number * 58 + alphabet.index(letter)
    return number.to_bytes(35, "big")[1:33]


def store(body: bytes, hotkey: str, nonce: str) -> dict[str, object]:
    """Make an upload durable: its bytes synced and renamed, then its row committed."""
    code = hashlib.sha256(body).hexdigest()
    final = DIR / "blobs" / code
    partial = DIR / "blobs" / f".{code}.{threading.get_ident()}"
    with partial.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(final)
    folder = os.open(final.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    db = connection()
    submission = str(uuid.uuid4())
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with db:
        db.execute("INSERT INTO nonces VALUES (?, ?, ?)", (hotkey, nonce, int(time.time())))
        db.execute(
            "INSERT INTO submissions VALUES (?, ?, 1, 'pending', ?, 'load.zip', ?, NULL)",
            (submission, hotkey, code, now),
        )
    return {"id": submission, "status": "pending", "code_hash": code, "created_at": now}


@app.post("/v1/submissions")
async def upload(request: Request) -> dict[str, object]:
    """Take a signed upload."""
    from starlette.concurrency import run_in_threadpool

    body = await request.body()
    hotkey, nonce = request.headers["x-hotkey"], request.headers["x-nonce"]
    timestamp = request.headers["x-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        raise HTTPException(401, "timestamp")
    message = f"prism:{hotkey}:{nonce}:{timestamp}:{hashlib.sha256(body).hexdigest()}".encode()
    signature = bytes.fromhex(request.headers["x-signature"].removeprefix("0x"))
    if not sr25519.verify(signature, message, decode(hotkey)):
        raise HTTPException(401, "signature")
    return await run_in_threadpool(store, body, hotkey, nonce)


if __name__ == "__main__":
    fill(int(sys.argv[1]))
