"""Submits a bundle to a real service whose reviewer is a real model server, and looks at what was stored. Called by `run.sh`."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
# For a machine that does much else; a quiet one needs a minute.
PATIENCE_SECONDS = 900
KEY = "a-key-of-this-test-9d1c"
DEFINED = {
    "review_disputed",
    "review_no_verdict",
    "review_rejected",
    None,
}


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(what: str, look):
    """What `look` returns once that is something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.2)
    sys.exit(f"never happened: {what}")


class Test:
    """A service in a folder of its own."""

    def __init__(self, prism: str, place: pathlib.Path, dir_: pathlib.Path) -> None:
        self.prism, self.place, self.dir = prism, place, dir_
        self.url = f"http://127.0.0.1:{free_port()}"
        self.env = dict(os.environ)
        for name in ("PRISM_LLM_GATEWAY_URL", "BASE_LLM_GATEWAY_URL"):
            self.env.pop(name, None)
        self.children = []

    def start_model(self) -> str:
        """The model's address."""
        port_file = self.dir / "model"
        log = (self.dir / "model.log").open("w")
        child = subprocess.Popen(
            [self.place / "venv/bin/python", ROOT / "tests/review/server.py", self.place / "wheels", port_file],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
        self.children.append(child)
        return wait_for("the model server listens", lambda: port_file.read_text() if port_file.exists() else None)

    def command(self, *words: str) -> dict:
        """What a command says."""
        done = subprocess.run([self.prism, *words, "--json"], env=self.env, cwd=self.dir, capture_output=True, check=False)
        if done.returncode != 0:
            sys.exit(f"prism {' '.join(words)}: {done.stdout.decode()} {done.stderr.decode()}")
        return json.loads(done.stdout)

    def get(self, path: str):
        """A page, or nothing while the service is away."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return json.load(answer)
        except OSError:
            return None

    def serve(self, model_url: str) -> None:
        """Starts the service and opens a round whose runs are paused."""
        self.env.update(
            {
                "PRISM_REVIEW__BASE_URL": f"{model_url}/v1",
                "PRISM_REVIEW__MODEL": "smollm2-135m",
                "PRISM_REVIEW__CONTEXT_TOKENS": "8192",
                "PRISM_REVIEW__MAX_ANSWER_TOKENS": "256",
                "PRISM_REVIEW__TIMEOUT_SECONDS": "600",
                "PRISM_REVIEW__USD_PER_MILLION_INPUT_TOKENS": "0",
                "PRISM_REVIEW__USD_PER_MILLION_OUTPUT_TOKENS": "0",
                "PRISM_REVIEW_API_KEY": KEY,
                "PRISM_STORE__DIR": str(self.dir / "store"),
                "PRISM_SERVER__LISTEN": self.url.removeprefix("http://"),
            }
        )
        log = (self.dir / "serve.log").open("w")
        self.children.append(subprocess.Popen([self.prism, "serve"], env=self.env, stdout=log, stderr=log))
        wait_for("the service answers", lambda: self.get("/health"))
        self.command("data", "synth", "--bytes", "800000", "--seed", "7", "--out", str(self.dir / "corpus"))
        self.command("round", "open", "--name", "one", "--recipe", "small", "--data", str(self.dir / "corpus"))
        self.command("admin", "pause")

    def end(self) -> None:
        """Ends what it started."""
        for child in reversed(self.children):
            if child.stdin:
                child.stdin.close()
            child.terminate()
            child.wait()


def bundle(place: pathlib.Path) -> pathlib.Path:
    """A small honest pair of scripts."""
    folder = place / "bundle"
    folder.mkdir()
    (folder / "architecture.py").write_text(
        "from torch import nn\n\n\ndef build_model(ctx):\n    return nn.Embedding(ctx.vocab_size, ctx.vocab_size)\n"
    )
    (folder / "training.py").write_text(
        "import torch\n\n\ndef train(ctx):\n    model = ctx.build_model()\n"
        "    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)\n"
        "    for batch in ctx.stream(model, batch_size=32, seq_len=128):\n        batch.loss(model(batch.inputs)).backward()\n"
        "        optimizer.step()\n        optimizer.zero_grad()\n"
    )
    return folder


def check(test: Test, id_: str) -> None:
    """What was stored of the review."""
    submission = test.get(f"/v1/submissions/{id_}")
    assert submission["review"]["model"] == "smollm2-135m", submission["review"]
    where = (submission["state"], submission["stage"], submission["reason"])
    if submission["state"] == "pending":
        assert submission["stage"] == "queued", where
    else:
        assert submission["state"] in ("held", "rejected") and submission["reason"] in DEFINED, where
    reviews = test.command("admin", "review", id_)["reviews"]
    assert len(reviews) == 1 and reviews[0]["verdict"], reviews
    calls = reviews[0]["calls"]
    assert calls, "somebody was asked"
    for call in calls:
        assert call["outcome"] == "vote" or call["outcome"].startswith("no_vote:"), call["outcome"]
        assert call["seconds"] > 0 and call["input_tokens"] > 500 and call["output_tokens"] > 0, call
        assert call["model"], call
        # The server keeps to the schema: what it says is the beginning of the object that was asked for, or all of it.
        assert call["answer"].lstrip().startswith("{"), call["answer"]
    written = b"".join(path.read_bytes() for path in test.dir.rglob("*") if path.is_file())
    assert KEY.encode() not in written, "the key was written somewhere"
    seconds = sum(call["seconds"] for call in calls)
    tokens = sum(call["input_tokens"] + call["output_tokens"] for call in calls)
    outcomes = ", ".join(f"{call['purpose']} {call['outcome']}" for call in calls)
    print(f"real model server: {where[0]} ({where[2] or where[1]}); {outcomes}; {tokens} tokens, {seconds:.1f} s")


def main() -> None:
    """Runs it."""
    prism, place = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    dir_ = pathlib.Path(tempfile.mkdtemp(prefix="prism-review-model-"))
    test = Test(prism, place, dir_)
    try:
        test.serve(test.start_model())
        key = str(dir_ / "key.json")
        test.command("key", "new", "--out", key)
        sent = test.command("submit", str(bundle(dir_)), "--key", key, "--url", test.url)
        id_ = sent["id"]

        def is_read():
            found = test.get(f"/v1/submissions/{id_}")
            return found if found and found["review"]["verdict"] else None

        wait_for("the review ends", is_read)
        check(test, id_)
    finally:
        test.end()
    shutil.rmtree(dir_)


if __name__ == "__main__":
    main()
