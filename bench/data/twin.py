"""Does a rehearsal on a twin say what the official corpus will: `python3 bench/data/twin.py`, after `cargo build --release`.

One text of the synthetic grammar is locked several times, each time with another salt, and each corpus gets its twin. Every
bundle is evaluated on both, with several seeds. Printed for each bundle is how far the two figures lie apart, beside the
error that `prism verify` states for them: `text_se_bpb` (what other text of the same kind changes) and `bpb_se` (what the
audits leave open), of both runs, squared and added. What seeds change is in no error of a single run; it is printed beside
it, as the spread of runs that differ in their seed alone. Needs the standard library and the runtime
(`prism runtime install`).
"""

import argparse
import json
import math
import os
import statistics
import struct
import subprocess
import tempfile
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUNDLES = ("redteam/honest-small", "examples/transformer-small", "examples/recurrent-small")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundles", nargs="+", default=BUNDLES, help="directories, below the repository or not")
    parser.add_argument("--pairs", type=int, default=4, help="corpora with their twins (default: 4)")
    parser.add_argument("--seeds", type=int, default=2, help="seeds of each bundle on each corpus (default: 2)")
    parser.add_argument("--bytes", type=int, default=100_000, help="bytes of each stream (default: 100,000)")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--prism", type=Path, default=target / "release/prism")
    return parser.parse_args()


def said(prism, *words):
    """What a command of prism says as JSON."""
    done = subprocess.run([prism, *words, "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def documents(corpus):
    """The documents of a corpus with a public salt."""
    for index in sorted(corpus.glob("*.idx")):
        lengths = [length for (length,) in struct.iter_unpack("<I", index.read_bytes())]
        text = index.with_suffix(".txt").read_bytes()
        at = 0
        for length in lengths:
            yield text[at : at + length].decode()
            at += length


def measured(prism, place, bundle, corpus, seed, run):
    """Evaluate, and return what `prism verify` says of the run."""
    recipe = place / "recipe.toml"
    outcome = said(
        prism, "eval", bundle, "--data", place / corpus, "--recipe", recipe, "--max-bytes", "1000000000",
        "--time-limit", "600", "--seed", str(seed), "--run-dir", run,
    )  # fmt: skip
    if outcome["reason"] != "end_of_data":
        raise SystemExit(f"{bundle} on {corpus}: {outcome['reason']} {outcome['detail']}")
    return said(prism, "verify", run)


def error(*runs):
    """The error of the difference of runs on different text."""
    return math.sqrt(sum(run[part] ** 2 for run in runs for part in ("text_se_bpb", "bpb_se")))


def main():
    """Measure and print a table."""
    args = arguments()
    with tempfile.TemporaryDirectory(prefix="prism-bench-twin-") as name:
        place = Path(name)
        # Twice the stream, what is held out, and what is dropped.
        said(args.prism, "data", "synth", "--bytes", str(args.bytes * 4), "--seed", "1", "--out", place / "grammar")
        with (place / "text.jsonl").open("w") as file:
            for text in documents(place / "grammar"):
                file.write(json.dumps({"text": text}) + "\n")
        # Steps of any shape that the bundles choose.
        recipe = (ROOT / "redteam/recipe.toml").read_text()
        (place / "recipe.toml").write_text(recipe.replace("max_step_ppm = 10_000", "max_step_ppm = 200_000"))
        for pair in range(args.pairs):
            said(
                args.prism, "data", "lock", "--from", place / "text.jsonl", "--out", place / f"official-{pair}",
                "--salt", f"salt {pair}", "--train", str(args.bytes), "--val", str(args.bytes // 20),
            )  # fmt: skip
            said(
                args.prism, "data", "twin", place / f"official-{pair}", "--from", place / "text.jsonl",
                "--out", place / f"twin-{pair}",
            )  # fmt: skip
        print(f"{args.pairs} pairs, {args.seeds} seeds, streams of {args.bytes} bytes; load {os.getloadavg()[0]:.2f}")
        print(
            "| bundle | bits per byte | of one run: text_se_bpb, bpb_se | twin less official: mean, root mean square | stated error |"
            " within 1, 2, 3 errors | seeds alone change |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
        for bundle in args.bundles:
            runs = {
                (corpus, pair, seed): measured(
                    args.prism, place, ROOT / bundle, f"{corpus}-{pair}", seed,
                    place / f"run-{Path(bundle).name}-{corpus}-{pair}-{seed}",
                )
                for pair in range(args.pairs)
                for seed in range(args.seeds)
                for corpus in ("official", "twin")
            }  # fmt: skip
            keys = [(pair, seed) for pair in range(args.pairs) for seed in range(args.seeds)]
            both = [(runs["twin", *key], runs["official", *key]) for key in keys]
            apart = [twin["bpb"] - official["bpb"] for twin, official in both]
            stated = [error(twin, official) for twin, official in both]
            within = [
                sum(abs(d) <= n * e for d, e in zip(apart, stated, strict=True)) for n in (1, 2, 3)
            ]
            seeds = [
                (runs[corpus, pair, one]["bpb"] - runs[corpus, pair, other]["bpb"]) / math.sqrt(2)
                for pair in range(args.pairs)
                for corpus in ("official", "twin")
                for one, other in combinations(range(args.seeds), 2)
            ]
            mean = lambda field: statistics.mean(run[field] for run in runs.values())  # noqa: E731
            rms = lambda values: math.sqrt(statistics.mean(v * v for v in values)) if values else math.nan  # noqa: E731
            print(
                f"| {Path(bundle).name} | {mean('bpb'):.4f} | {mean('text_se_bpb'):.4f}, {mean('bpb_se'):.1e} | "
                f"{statistics.mean(apart):+.4f}, {rms(apart):.4f} | {rms(stated):.4f} | "
                f"{within[0]}, {within[1]}, {within[2]} of {len(apart)} | {rms(seeds):.4f} |",
                flush=True,
            )
        print(f"load {os.getloadavg()[0]:.2f}")


main()
