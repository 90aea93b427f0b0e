"""A laboratory of channels: `python3 bench/channels/run.py`, after `cargo build --release`.

For each road by which a learner could tell an auditor something: a sender in a real learner, a receiver in the real sealed
auditor, both in one small bundle (`kit/` and one file of `roads/`), run by `prism eval --no-gate` with questions in every
step. Fresh random bits are sent before the claims of each step; what the auditor reads at its first question about that
step, and what the process that is asked again reads after the learner's death, is compared with them (`capacity.py`).
Prints one row a road. Needs nothing but the standard library, a C compiler for the roads that time loads, and the runtime
(`prism runtime install`). Never tries to get out of the sandbox: a road is what is left when everything else is denied.

`--prism` names another version, to see what it left open. `--no-sweep` leaves the caches as they are. `--alone` runs the
roads between two ordinary processes without PRISM, of which one is stopped while the other listens: what a road could
carry at most, and the proof that sender and receiver work. `--open` and `--closed` name roads that must carry something and
nothing: otherwise the command fails.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import alone
import bundle
import capacity

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGETS_PER_STEP = 64
# What differs from the demo's recipe: tiny steps, each asked about about six times, and room to send and to listen.
RECIPE = {
    "min_targets_per_step": 1,
    "max_step_ppm": 100_000,
    "rate_per_byte": "1e-1",
    "repeats": 64,
    "threads": 1,
    "learner_memory_bytes": 5 << 30,
    "auditor_memory_bytes": 3 << 30,
    "max_log_bytes": 16 << 20,
    # The learner of the laboratory is small. The disk must have room for as many snapshots as there are questions.
    "max_snapshot_bytes": 16 << 20,
    "val_bytes": 0,
    "gap_bytes": 0,
    "startup_seconds": 240,
    "question_seconds": 60,
    "time_limit_seconds": 3_600,
}
POSIX_FADV_DONTNEED = os.POSIX_FADV_DONTNEED


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument(
        "--prism", type=Path, default=target / "release/prism", help="the binary to try"
    )
    parser.add_argument("--only", help=f"some of {','.join(bundle.road_names())}")
    parser.add_argument("--steps", type=int, default=100, help="steps of a run (default: 100)")
    parser.add_argument("--no-sweep", action="store_true", help="leave the caches unswept")
    parser.add_argument(
        "--alone", action="store_true", help="two ordinary processes instead of PRISM"
    )
    parser.add_argument("--open", default="", help="roads that must carry something, or fail")
    parser.add_argument("--closed", default="", help="roads that must carry nothing, or fail")
    parser.add_argument(
        "--keep", type=Path, help="a new directory for the runs and what was said in them"
    )
    return parser.parse_args()


def make_recipe(args, place):
    """A recipe of this version of PRISM with the constants of the laboratory."""
    shown = subprocess.run(
        [args.prism, "recipe", "show", "demo"], check=True, stdout=subprocess.PIPE, text=True
    )
    text = shown.stdout
    # The targets that are asked about again are drawn over the whole stream: it ends with the steps.
    changes = RECIPE | {"max_bytes": args.steps * TARGETS_PER_STEP + 2_000}
    if "sweep_caches" in text:
        changes["sweep_caches"] = "false" if args.no_sweep else "true"
    elif args.no_sweep:
        sys.exit("this version of PRISM never sweeps the caches")
    for key, value in changes.items():
        # The rates of the stream and of the held-out text have one name; the stream's comes first.
        text, found = re.subn(rf"^(# )?{key} = .*$", f"{key} = {value}", text, count=1, flags=re.M)
        if not found:
            sys.exit(f"the recipe of this version has no {key}: adapt bench/channels/run.py")
    text = text.replace("[budget]\n", f"[budget]\nmax_steps = {args.steps + 1}\n", 1)
    place.write_text(text)
    return place


def put_out(path):
    """Put the pages of a file that nobody has mapped out of memory."""
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)
    os.close(fd)


def run_prism(args, made, corpus, recipe, run_dir):
    """What `prism eval` said, and what its processes printed."""
    command = [args.prism, "eval", made, "--data", corpus, "--recipe", recipe, "--run-dir", run_dir]
    done = subprocess.run(
        [*command, "--no-gate", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        said = json.loads(done.stdout)
    except json.JSONDecodeError:
        sys.exit(f"{command}: {done.stdout}\n{done.stderr}")
    lines = []
    for log in sorted((run_dir / "logs").glob("*.stdout.log")):
        lines += log.read_text(errors="replace").splitlines()
    return said, lines


def parse(lines):
    """Bits that were sent and readings of each receiver, by step, and the time that both took."""
    sent, heard, seconds = {}, {}, {"sent": [], "heard": [], "claimed": []}
    for line in lines:
        word, *fields = line.split()
        if word == "sent":
            sent[int(fields[0])] = [int(bit) for bit in fields[1]]
        elif word == "heard":
            readings = [float(number) for number in fields[2].split(",")]
            heard.setdefault(fields[1], {})[int(fields[0])] = readings
        elif word != "claimed":
            continue
        seconds[word].append(float(fields[-1]))
    return sent, heard, seconds


def refused(said):
    """The call that the seal met, if it ended the run."""
    if said["reason"] != "auditor_sealed":
        return None
    call = re.search(r"system call `(\w+)`", said["detail"])
    return f"refused: {call[1] if call else said['detail']}"


def try_road(name, args, python, temp, corpus, recipe):
    """One road, once: its result as a dictionary."""
    road = bundle.traits(name)
    result = {"road": name, "title": road["title"], "sent_bits": road["bits"]}
    if args.alone and (road["carried"] or road["reversed"]):
        return result | {"outcome": "skipped: needs the referee"}
    try:
        made = bundle.assemble(temp / f"bundle-{name}", name, ["alone.py"] if args.alone else [])
    except bundle.Skipped as why:
        return result | {"outcome": f"skipped: {why}"}
    if road["cold"]:
        put_out(python.parent.parent / bundle.COLD_FILE)
    started = time.monotonic()
    if args.alone:
        try:
            lines = alone.run(python, made, road, args.steps)
        except RuntimeError as error:
            return result | {"outcome": f"failed: {error}"}
    else:
        said, lines = run_prism(args, made, corpus, recipe, temp / f"run-{name}")
        if call := refused(said):
            return result | {"outcome": call}
        if said["status"] != "completed":
            return result | {"outcome": f"failed: {said['reason']}: {said['detail']}"}
    if args.keep:
        (args.keep / f"{name}.lines").write_text("\n".join(lines) + "\n")
    sent, heard, seconds = parse(lines)
    result["run_seconds"] = round(time.monotonic() - started, 1)
    for what, times in seconds.items():
        # The first steps find everything cold.
        result[f"{what}_ms"] = round(1e3 * statistics.median(times[capacity.TEACHING :] or [0]), 3)
    for who in ("auditor", "replay"):
        understood = capacity.compare(
            sent, heard.get(who, {}), symbol_bits=road["symbol_bits"], circle=road["circle"]
        )
        here, least, most = understood.capacity()
        result[who] = {
            "steps": understood.steps,
            "bits": understood.bits,
            "errors": understood.errors,
            "by_position": [errors for errors, _ in understood.by_position],
            "differs": understood.differs,
            "bits_a_step": [round(value, 4) for value in (here, least, most)],
        }
    return result | {"outcome": "heard" if result["auditor"]["bits"] else "nothing was heard"}


HEADER = (
    "| road | sent a step | error rate | bits a step (least, most) | differs from chance | bits a run of {} steps | asked again | sending | claims |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
)


def row(result, steps):
    """One row of the table."""
    if "auditor" not in result or not result["auditor"]["bits"]:
        return f"| {result['road']} | {result['sent_bits']} | | 0 | | 0 | | {result['outcome']} | |"
    auditor, replay = result["auditor"], result["replay"]
    here, least, most = auditor["bits_a_step"]
    again = "not heard"
    if replay["bits"]:
        again = f"{replay['bits_a_step'][0]:.2f} (p {replay['errors'] / replay['bits']:.3f} of {replay['bits']})"
    cells = [
        result["road"],
        str(result["sent_bits"]),
        f"{auditor['errors'] / auditor['bits']:.4f} of {auditor['bits']}",
        f"{here:.2f} ({least:.2f}, {most:.2f})",
        "yes" if auditor["differs"] else "no",
        f"{here * steps:.0f}",
        again,
        f"{result['sent_ms']:.1f} ms",
        f"{result['claimed_ms']:.1f} ms",
    ]
    return "| " + " | ".join(cells) + " |"


def listed(names):
    """The roads of a flag."""
    return [name for name in (names or "").split(",") if name]


def wrong(result, args):
    """What a road should have carried, if it did otherwise. One that could not be tried is neither open nor closed."""
    name, outcome = result["road"], result["outcome"]
    tried = outcome == "heard" or outcome.startswith("refused")
    carries = outcome == "heard" and any(
        result[who]["differs"] for who in ("auditor", "replay") if result[who]["bits"]
    )
    if name in listed(args.open) and not carries:
        return f"{name} must be open: {outcome}"
    if name in listed(args.closed) and (carries or not tried):
        return f"{name} must be closed: {outcome}"
    return None


def main():
    """Every road in turn, a row each."""
    args = arguments()
    expected = list(dict.fromkeys(listed(args.open) + listed(args.closed)))
    names = listed(args.only) or expected or bundle.road_names()
    if unknown := set(names + expected) - set(bundle.road_names()):
        sys.exit(f"unknown roads: {sorted(unknown)}")
    if args.steps <= capacity.TEACHING:
        sys.exit(f"the first {capacity.TEACHING} steps only teach the receiver: more are needed")
    located = subprocess.run(
        [args.prism, "runtime", "path"], check=True, stdout=subprocess.PIPE, text=True
    )
    python = Path(located.stdout.strip())
    with tempfile.TemporaryDirectory(prefix="prism-channels-") as temp:
        temp = Path(temp)
        if args.keep:
            args.keep.mkdir(parents=True)
            temp = args.keep
        # A tenth of the documents is held out; the budget of steps ends the stream before its end.
        size = str(max(60_000, args.steps * TARGETS_PER_STEP * 3 // 2 + 20_000))
        corpus, recipe = temp / "corpus", None
        if not args.alone:
            synth = [args.prism, "data", "synth", "--bytes", size, "--seed", "1", "--out", corpus]
            subprocess.run(synth, check=True, stdout=subprocess.DEVNULL)
            recipe = make_recipe(args, temp / "recipe.toml")
        print("\n".join(HEADER).format(args.steps), flush=True)
        complaints = []
        for name in names:
            result = try_road(name, args, python, temp, corpus, recipe)
            print(row(result, args.steps), flush=True)
            complaints += filter(None, [wrong(result, args)])
            if args.keep:
                with (args.keep / "results.jsonl").open("a") as results:
                    results.write(json.dumps(result) + "\n")
    if complaints:
        sys.exit("\n".join(complaints))


if __name__ == "__main__":
    main()
