"""What the challenge service does in a second, beside FastAPI over SQLite on the same work in the same run.

    cargo build --release --workspace --bins --examples
    python3 bench/service.py                  # as root; about ten minutes
    python3 bench/service.py --overhead       # what a run through the service costs beside `prism eval`

Both servers hold 100,000 submissions, an evaluation goes on all the time, and the load comes from a process of its own. The
variants take turns; the table has medians. The peer's packages are installed into `target/bench-service`.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
PRISM = RELEASE / "prism"
LOAD = RELEASE / "examples" / "service_load"
FILL = RELEASE / "examples" / "store_bench"
PATIENCE_SECONDS = 300.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def until(what: str, condition) -> float:
    """Wait for something; return how many seconds that took."""
    started = time.perf_counter()
    while not condition():
        if time.perf_counter() - started > PATIENCE_SECONDS:
            raise SystemExit(f"never happened: {what}")
        time.sleep(0.002)
    return time.perf_counter() - started


class Served:
    """A server process that is ended with the block."""

    def __init__(self, command: list[str], url: str, ready: str, environment: dict[str, str], log: Path):
        self.url = url
        self.log = log.open("ab")
        started = time.perf_counter()
        self.process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=self.log, stderr=self.log, start_new_session=True
        )
        until(f"{ready} of {command[0]}", lambda: get(url + ready)[0] == 200)
        self.start_seconds = time.perf_counter() - started

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=PATIENCE_SECONDS)
        self.log.close()

    def resident_mb(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1000
        return 0.0


def prism(place: Path, arguments: list[str]) -> Served:
    port = free_port()
    environment = {"PRISM_SERVER__UNLIMITED_CLIENTS": "127.0.0.1/32"}
    command = [str(PRISM), "serve", "--listen", f"127.0.0.1:{port}", *arguments]
    return Served(command, f"http://127.0.0.1:{port}", "/health", environment, place / "prism.log")


def peer(place: Path, rows: int) -> Served:
    port = free_port()
    environment = {"PEER_DIR": str(place / "peer"), "PEER_BOARD_ROWS": str(rows), "PYTHONPATH": str(ROOT / "bench/service")}
    command = [
        str(python_of_peer()), "-m", "uvicorn", "peer:app", "--host", "127.0.0.1", "--port", str(port), "--workers", "2",
        "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning",
    ]
    return Served(command, f"http://127.0.0.1:{port}", "/v1/leaderboard", environment, place / "peer.log")


def python_of_peer() -> Path:
    venv = RELEASE.parent / "bench-service"
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "-r", ROOT / "bench/service/requirements.txt"], check=True
        )
    return python


def load(kind: str, url: str, seconds: int, connections: int, each: list[str | Path] = []) -> dict[str, float]:
    said = subprocess.run(
        [LOAD, kind, url, *each, "--seconds", str(seconds), "--connections", str(connections)],
        check=True, capture_output=True, text=True,
    )
    return json.loads(said.stdout)


def completed(database: Path, file: Path) -> Path:
    """Write ids of completed submissions, spread over all of them, to a file."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        ids = [row[0] for row in db.execute("SELECT id FROM submissions WHERE status = 'completed' ORDER BY id LIMIT 10000")]
    file.write_text("\n".join(ids) + "\n")
    return file


def variant(place: Path, number: int) -> Path:
    """A bundle of its own: the example of the README with a number changed."""
    bundle = place / f"bundle-{number}"
    shutil.copytree(ROOT / "examples/transformer-small", bundle, dirs_exist_ok=True)
    training = bundle / "training.py"
    training.write_text(training.read_text() + f"\n\nVARIANT = {number}\n")
    return bundle


def submit(served: Served, place: Path, numbers: list[int]) -> list[str]:
    key = place / "key.json"
    if not key.exists():
        subprocess.run([PRISM, "key", "new", "--out", key], check=True, capture_output=True)
    ids = []
    for number in numbers:
        said = subprocess.run(
            [PRISM, "submit", variant(place, number), "--key", key, "--url", served.url, "--format", "json"],
            check=True, capture_output=True, text=True,
        )
        ids.append(json.loads(said.stdout)["id"])
    return ids


def stage(served: Served, submission: str) -> str:
    found = json.loads(get(f"{served.url}/v1/submissions/{submission}")[1])
    if found["status"] in {"failed", "rejected", "held"}:
        raise SystemExit(f"a run is {found['status']}: {found['reason']}, {found['detail']}")
    return f"{found['status']}/{found['stage']}"


def operate(*words: object) -> dict:
    said = subprocess.run([PRISM, *words, "--format", "json"], check=True, capture_output=True, text=True)
    return json.loads(said.stdout)


def compare(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="prism-bench-") as temporary:
        place = Path(temporary)
        store = place / "store"
        serve = ["--demo", "--dir", str(store)]
        with prism(place, serve) as served:
            time.sleep(3)
            print(f"an empty challenge: {1e3 * served.start_seconds:.0f} ms to its first answer, {served.resident_mb():.0f} MB")
        filled = [FILL, "--fill", store, "--submissions", str(options.submissions)]
        print(subprocess.run(filled, check=True, capture_output=True, text=True).stdout.strip())
        subprocess.run(
            [python_of_peer(), ROOT / "bench/service/peer.py", str(options.submissions)],
            check=True, env={**os.environ, "PEER_DIR": str(place / "peer")},
        )
        with prism(place, serve) as served:
            ready = until("its readiness", lambda: get(served.url + "/ready")[0] == 200)
            print(
                f"with {options.submissions} submissions, {options.submissions // 100} of them open: "
                f"{1e3 * served.start_seconds:.0f} ms to the first answer, {ready:.1f} s more until the sandbox was tried"
            )
            time.sleep(3)
            print(f"idle memory: {served.resident_mb():.0f} MB")
            board = json.loads(get(served.url + "/v1/leaderboard")[1])
            rows = len(board["entries"])
            some = board["entries"][rows // 2]["submission_id"]
            runs = submit(served, place, [1, 2, 3, 4])
            until("an evaluation", lambda: stage(served, runs[0]).startswith("running"))
            with peer(place, rows) as other:
                some_of_peer = (place / "peer" / "some_id").read_text()
                each = [completed(store / "prism.sqlite3", place / "ids"), completed(place / "peer/peer.sqlite3", place / "peer-ids")]
                one, any_ = "/v1/submissions/", "status of one of 10,000 submissions in turn"
                asked = {
                    f"board, {rows} rows": ("get", "/v1/leaderboard", "/v1/leaderboard"),
                    "status of one submission": ("get", one + some, one + some_of_peer),
                    any_: ("get", one, one),
                    "signed uploads of 20 kB": ("upload", "", ""),
                }
                found: dict[tuple[str, str], list[dict[str, float]]] = {}
                for _ in range(options.rounds):
                    for what, (kind, ours, theirs) in asked.items():
                        for who, url, ids in (("PRISM", served.url + ours, each[0]), ("FastAPI", other.url + theirs, each[1])):
                            ids = ["--each", ids] if what == any_ else []
                            said = load(kind, url, options.seconds, options.connections, ids)
                            found.setdefault((what, who), []).append(said)
                states = [stage(served, run) for run in runs]
            memory = served.resident_mb()
        print(f"the evaluations at the end: {', '.join(states)}; memory {memory:.0f} MB")
        print("\n| work | server | a second | median ms | p99 ms | not 200 |\n| --- | --- | ---: | ---: | ---: | ---: |")
        for (what, who), said in found.items():
            middle = {name: statistics.median(one[name] for one in said) for name in said[0]}
            print(
                f"| {what} | {who} | {middle['per_second']:.0f} | {middle['p50_ms']:.2f} | {middle['p99_ms']:.2f} "
                f"| {sum(one['not_200'] for one in said):.0f} |"
            )


def overhead(options: argparse.Namespace) -> None:
    """The same bundle under the same recipe, by hand and through the service, in turns."""
    with tempfile.TemporaryDirectory(prefix="prism-bench-") as temporary:
        place = Path(temporary)
        store = place / "store"
        by_hand, through = [], []
        with prism(place, ["--demo", "--dir", str(store)]) as served:
            until("its readiness", lambda: get(served.url + "/ready")[0] == 200)
            listed = operate("round", "list", "--dir", store)
            corpus = listed["rounds"][0]["corpus"]
            recipe = place / "recipe.toml"
            # A short stream, so that what is not the run weighs more.
            text = json.loads(get(served.url + "/v1/recipe")[1])["recipe_toml"]
            for key, value in (("max_bytes", "120_000"), ("allowance_bytes", "16"), ("rate_per_byte", "1e-2")):
                text = re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
            recipe.write_text(text)
            operate("round", "close", listed["rounds"][0]["name"], "--dir", store)
            operate("round", "open", "--name", "bench", "--recipe", recipe, "--data", corpus, "--dir", store)
            until("its readiness", lambda: get(served.url + "/ready")[0] == 200)
            for number in range(options.rounds):
                bundle = variant(place, number)
                started = time.perf_counter()
                command = [PRISM, "eval", bundle, "--recipe", recipe, "--data", corpus, "--runs", place / f"runs-{number}"]
                said = subprocess.run([*command, "--json"], check=True, capture_output=True, text=True)
                took = time.perf_counter() - started
                [manifest] = (place / f"runs-{number}").glob("*/prism_run_manifest.v2.json")
                by_hand.append(parts(took, json.loads(said.stdout)["wall_seconds"], manifest.read_bytes()))
                started = time.perf_counter()
                [run] = submit(served, place, [number])
                until("its score", lambda run=run: stage(served, run).startswith(("completed", "running/confirming", "pending/confirming")))
                took = time.perf_counter() - started
                [attempt] = [
                    attempt
                    for attempt in json.loads(get(f"{served.url}/v1/submissions/{run}")[1])["attempts"]
                    if attempt["kind"] == "main"
                ]
                manifest = get(f"{served.url}/v1/submissions/{run}/manifest")[1]
                through.append(parts(took, attempt["wall_seconds"], manifest))
                # Whoever takes first place is measured a second time, which is no part of this.
                subprocess.run([PRISM, "cancel", run, "--key", place / "key.json", "--url", served.url], capture_output=True)
                until("the end", lambda: not any((store / "attempts").iterdir()))
        # A run that counts lets the kernel forget and reads everything anew, which one by hand does not; the rest differs by what
        # else the machine does. What is around the evaluation is compared.
        print("| | all of it | the evaluation | of that the stream | of that forgetting | around it |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |")
        for what, times in (("prism eval", by_hand), ("from submitting to the score", through)):
            middle = [statistics.median(part) for part in zip(*times)]
            print(f"| {what} |" + "".join(f" {part:.2f} s |" for part in middle))


def parts(took: float, evaluation: float, manifest: bytes) -> tuple[float, ...]:
    compute = json.loads(manifest)["compute"]
    return took, evaluation, compute["stream_seconds"], compute["forgetting_seconds"] or 0.0, took - evaluation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--overhead", action="store_true")
    options = parser.parse_args()
    overhead(options) if options.overhead else compare(options)


if __name__ == "__main__":
    main()
