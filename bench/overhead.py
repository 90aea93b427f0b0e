"""What a measurement costs: `python3 bench/overhead.py`, after `cargo build --release`.

Runs `prism eval` on a model and a synthetic stream, and the same model on the same batches in a bare loop, in turns;
prints rows for RESULTS.md: medians of the time from the first batch to the last, the ratio to the bare loop, and the
time before and after. Needs nothing but the standard library; the runtime must be installed (`prism runtime install`).

Variants: `bare` (the environment and flags of a worker), `bare-spinning` (the same, but waiting threads spin, which is
OpenMP's default), `loss` (claims by `batch.loss`), `eval` (claims by an extra forward, `claims="eval"`).

Every run waits until the machine is idle, and every row says how many cores other programs kept busy meanwhile (the
most of its runs): above a few hundredths its times mean nothing. Processor time, of all processes of a run from its
first batch to its last, suffers less from others; it does not see what a waiting core loses.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# Parameters, bytes of the stream.
MODELS = {
    "1M": {"WIDTH": 160, "LAYERS": 4, "HEADS": 5, "stream_bytes": 4_000_000},
    "10M": {"WIDTH": 384, "LAYERS": 7, "HEADS": 6, "stream_bytes": 400_000},
}
BATCH_SIZE = 32
SEQ_LEN = 256
THREADS = 2
# About 1,000 audits on 4 MB.
AUDIT_RATE = 2.5e-4
# What the launcher sets for a learner, as far as speed depends on it.
WORKER_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "OMP_NUM_THREADS": str(THREADS),
    "MKL_NUM_THREADS": str(THREADS),
    "OPENBLAS_NUM_THREADS": str(THREADS),
    "TORCHINDUCTOR_DETERMINISTIC": "1",
}
VARIANTS = ("bare", "bare-spinning", "loss", "eval")
IDLE_SECONDS = 3
IDLE_CORES = 0.1


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=MODELS, default="1M")
    parser.add_argument("--runs", type=int, default=3, help="runs of each variant (default: 3)")
    parser.add_argument(
        "--bytes", type=int, help="bytes of the stream (default: 4 MB for 1M, 400 kB for 10M)"
    )
    parser.add_argument(
        "--audit-rate", type=float, default=AUDIT_RATE, help="audits a byte (default: 2.5e-4)"
    )
    parser.add_argument(
        "--variants", default="bare,loss,eval", help=f"some of {','.join(VARIANTS)}"
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=600,
        help="longest wait for an idle machine before each run, s",
    )
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument(
        "--prism", type=Path, default=target / "release/prism", help="the binary to measure"
    )
    return parser.parse_args()


def busy_seconds():
    """Processor time that the whole machine has used or was denied so far."""
    user, nice, system, _idle, _wait, irq, softirq, steal, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    all_ticks = user + nice + system + irq + softirq + steal
    return all_ticks / os.sysconf("SC_CLK_TCK")


def children_seconds():
    """Processor time of our children that have ended; the workers of a sandbox are not in it."""
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime


def wait_until_idle(limit_seconds):
    """Return once nothing else runs, or when the limit has passed."""
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline:
        before = busy_seconds()
        time.sleep(IDLE_SECONDS)
        if busy_seconds() - before < IDLE_CORES * IDLE_SECONDS:
            return


def others(all_seconds, own_seconds, seconds):
    """How many cores other programs kept busy."""
    return max(0.0, all_seconds - own_seconds) / seconds


def tree_processor_seconds(root):
    """Processor time so far of a process and of everything below it."""
    parents, used = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(") ", 1)[1].split()
        except (OSError, IndexError):
            continue
        pid = int(stat.parent.name)
        parents[pid] = int(fields[1])
        used[pid] = int(fields[11]) + int(fields[12])

    def below(pid):
        while pid not in (root, 0):
            pid = parents.get(pid, 0)
        return pid == root

    return sum(ticks for pid, ticks in used.items() if below(pid)) / os.sysconf("SC_CLK_TCK")


def make_bundle(place, model, claims):
    """Write a bundle of this size; returns its directory."""
    shutil.copytree(
        HERE / "overhead", place, ignore=shutil.ignore_patterns("bare.py", "__pycache__")
    )
    settings = {name: MODELS[model][name] for name in ("WIDTH", "LAYERS", "HEADS")}
    settings |= {"BATCH_SIZE": BATCH_SIZE, "SEQ_LEN": SEQ_LEN, "THREADS": THREADS, "CLAIMS": claims}
    lines = "".join(f"{name} = {value!r}\n" for name, value in settings.items())
    (place / "settings.py").write_text('"""Written by bench/overhead.py."""\n\n' + lines)
    return place


def make_recipe(place):
    """The demo's recipe, with room for these batches on a short stream."""
    text = (ROOT / "crates/prism-core/recipes/demo.toml").read_text()
    changed = text.replace("max_step_ppm = 10_000\n", "max_step_ppm = 50_000\n")
    changed = changed.replace("time_limit_seconds = 600\n", "time_limit_seconds = 3_600\n")
    if changed.count("50_000\n") != 1 or changed.count("3_600\n") != 1:
        sys.exit("the demo's recipe has changed: adapt bench/overhead.py")
    place.write_text(changed)
    return place


def run_bare(python, bundle, corpus, max_bytes, *, spinning):
    """Seconds of the bare loop."""
    environment = dict(WORKER_ENVIRONMENT)
    if spinning:
        del environment["OMP_WAIT_POLICY"]
    command = [python, "-P", "-s", "-B", HERE / "overhead/bare.py", bundle, corpus, str(max_bytes)]
    started, all_before, own_before = time.perf_counter(), busy_seconds(), children_seconds()
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    all_used, own_used = busy_seconds() - all_before, children_seconds() - own_before
    seconds = time.perf_counter() - started
    said = json.loads(done.stdout)
    return {
        "stream": said["seconds"],
        "cpu": said["processor_seconds"],
        "steps": said["steps"],
        "others": others(all_used, own_used, seconds),
    }


def run_prism(prism, bundle, corpus, recipe, run_dir, max_bytes, audit_rate):
    """Seconds of a measured run before, on and after its stream, by the arrival of its events."""
    reader, writer = os.pipe()
    command = [
        prism,
        "eval",
        bundle,
        "--data",
        corpus,
        "--recipe",
        recipe,
        "--run-dir",
        run_dir,
        "--json",
    ]
    command += [
        "--max-bytes",
        str(max_bytes),
        "--audit-rate",
        str(audit_rate),
        "--progress-fd",
        str(writer),
    ]
    spawned = time.perf_counter()
    with subprocess.Popen(
        command, pass_fds=[writer], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        os.close(writer)
        first = last = None
        cpu_first = cpu_last = all_first = all_last = steps = 0
        with os.fdopen(reader) as events:
            for line in events:
                now = time.perf_counter()
                event = json.loads(line)
                if event["event"] == "stage" and event["stage"] == "training":
                    first, cpu_first = now, tree_processor_seconds(child.pid)
                    all_first = busy_seconds()
                elif event["event"] == "step":
                    last, steps = now, steps + 1
                    # Only where it may be the last, since looking takes a few milliseconds.
                    if event["covered_bytes"] == event["stream_bytes"]:
                        cpu_last, all_last = tree_processor_seconds(child.pid), busy_seconds()
        stdout, stderr = child.communicate()
    ended = time.perf_counter()
    said = json.loads(stdout)
    if said["reason"] != "end_of_data" or first is None or last is None:
        sys.exit(f"the run did not complete: {said['reason']}: {said['detail']}\n{stderr.decode()}")
    return {
        "stream": last - first,
        "cpu": cpu_last - cpu_first,
        "start": first - spawned,
        "end": ended - last,
        "steps": steps,
        "audits": said["audits"],
        "others": others(all_last - all_first, cpu_last - cpu_first, last - first),
    }


def median(results, key):
    """The median of one figure, or None where a variant has none."""
    values = [result[key] for result in results if key in result]
    return statistics.median(values) if values else None


def print_rows(model, max_bytes, results):
    """Rows for RESULTS.md."""
    print(
        "\n| model | stream | variant | steps | audits | first batch to last | over bare | processor | over bare | before | after | others |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    bare, bare_cpu = (median(results.get("bare", []), key) for key in ("stream", "cpu"))
    for variant, runs in results.items():
        stream, cpu, start, end = (median(runs, key) for key in ("stream", "cpu", "start", "end"))
        spread = f"{min(r['stream'] for r in runs):.1f} to {max(r['stream'] for r in runs):.1f}"
        audits = median(runs, "audits")
        cells = [
            model,
            f"{max_bytes / 1e6:g} MB",
            variant,
            f"{runs[0]['steps']}",
            "" if audits is None else f"{audits:.0f}",
            f"{stream:.1f} s ({spread})",
            "" if bare is None else f"{stream / bare:.3f}",
            f"{cpu:.1f} s",
            "" if bare_cpu is None else f"{cpu / bare_cpu:.3f}",
            "" if start is None else f"{start:.2f} s",
            "" if end is None else f"{end:.2f} s",
            f"{max(run['others'] for run in runs):.2f}",
        ]
        print("| " + " | ".join(cells) + " |")


def main():
    """Everything in turns, then the rows."""
    args = arguments()
    max_bytes = args.bytes or MODELS[args.model]["stream_bytes"]
    variants = args.variants.split(",")
    if unknown := set(variants) - set(VARIANTS):
        sys.exit(f"unknown variants: {sorted(unknown)}")
    located = subprocess.run(
        [args.prism, "runtime", "path"], check=True, stdout=subprocess.PIPE, text=True
    )
    python = located.stdout.strip()
    results = {variant: [] for variant in variants}
    with tempfile.TemporaryDirectory(prefix="prism-overhead-") as temp:
        temp = Path(temp)
        corpus = temp / "corpus"
        # A tenth of the documents is held out.
        synth = [
            args.prism,
            "data",
            "synth",
            "--bytes",
            str(max_bytes * 6 // 5 + 200_000),
            "--seed",
            "1",
        ]
        subprocess.run([*synth, "--out", corpus], check=True, stdout=subprocess.DEVNULL)
        recipe = make_recipe(temp / "recipe.toml")
        for number in range(args.runs):
            for variant in variants:
                claims = "eval" if variant == "eval" else "loss"
                bundle = temp / f"bundle-{claims}"
                if not bundle.exists():
                    make_bundle(bundle, args.model, claims)
                if variant.startswith("bare"):
                    spinning = variant == "bare-spinning"
                    run = partial(run_bare, python, bundle, corpus, max_bytes, spinning=spinning)
                else:
                    run_dir = temp / f"run-{variant}-{number}"
                    run = partial(
                        run_prism,
                        args.prism,
                        bundle,
                        corpus,
                        recipe,
                        run_dir,
                        max_bytes,
                        args.audit_rate,
                    )
                wait_until_idle(args.wait)
                result = run()
                results[variant].append(result)
                figures = ", ".join(f"{k} {v:.2f}" for k, v in result.items())
                print(f"{variant}: {figures}", file=sys.stderr, flush=True)
    print_rows(args.model, max_bytes, results)


if __name__ == "__main__":
    main()
