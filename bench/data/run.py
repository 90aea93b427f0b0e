"""Parquet to a locked corpus: MB of text a second and peak memory, beside pyarrow and datasets at the same job.

Needs a release build (`cargo build --release --bin prism`) and `pip install -r bench/data/requirements.txt`.

    python3 bench/data/run.py                      # 400 MB of text, all variants, three runs each, in turns
    python3 bench/data/run.py --bytes 4_200_000_000 --variants prism --runs 1    # memory does not grow with the text

The job: read the text and the two scores of FineWeb-Edu's columns, take documents by their scores, drop those that are
equal up to white space, give each a split and a place by a keyed hash, write three splits with a hash of every file. Only
`prism` also drops near duplicates; `prism-exact` does not, and is the one to compare with. The text is made of sentences that
come again in many documents, as in text of the web, in random order.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
VARIANTS = ("prism", "prism-exact", "pyarrow", "datasets")
SENTENCES_PER_DOCUMENT = 36
DOCUMENTS_PER_GROUP = 10_000


def write_text(directory: Path, total_bytes: int, files: int) -> int:
    """Write Parquet files with FineWeb-Edu's columns; return the bytes of text in them."""
    random = np.random.default_rng(0)
    words = np.array(["".join(chr(97 + c) for c in random.integers(0, 26, 2 + i % 9)) for i in range(50_000)])
    ranks = np.minimum(random.zipf(1.2, 8_000_000), len(words)) - 1
    sentences = [
        " ".join(part) + "." for part in np.array_split(words[ranks], len(ranks) // 20)
    ]
    pool = np.array(sentences, dtype=object)
    written, number = 0, 0
    for file in range(files):
        path = directory / f"{file:03}_00000.parquet"
        writer = None
        while written < total_bytes * (file + 1) // files:
            picks = pool[random.integers(0, len(pool), (DOCUMENTS_PER_GROUP, SENTENCES_PER_DOCUMENT))]
            texts = ["\n".join(row) for row in picks]
            written += sum(len(text) for text in texts)
            count = len(texts)
            table = pa.table(
                {
                    "text": texts,
                    "id": [f"<urn:uuid:{number + i}>" for i in range(count)],
                    "dump": ["CC-MAIN-2024-10"] * count,
                    "url": [f"https://example.org/{number + i}" for i in range(count)],
                    "file_path": ["s3://commoncrawl/x.warc.gz"] * count,
                    "language": ["en"] * count,
                    "language_score": random.uniform(0.6, 1.0, count),
                    "token_count": pa.array([len(text) // 4 for text in texts], pa.int64()),
                    "score": random.uniform(2.5, 5.0, count),
                    "int_score": pa.array(random.integers(2, 6, count), pa.int64()),
                }
            )
            number += count
            writer = writer or pq.ParquetWriter(path, table.schema, compression="snappy")
            writer.write_table(table, row_group_size=1000)
        if writer:
            writer.close()
    return written


def command(variant: str, prism: Path, source: Path, out: Path) -> list[str]:
    """Return what runs one variant."""
    if variant in ("pyarrow", "datasets"):
        return [sys.executable, str(HERE / f"with_{variant}.py"), str(source), str(out)]
    near = "0.7" if variant == "prism" else "off"
    return [
        str(prism), "data", "lock", "--from", str(source), "--out", str(out), "--near-duplicates", near,
        "--min-language-score", "0.65", "--min-int-score", "3", "--json",
    ]  # fmt: skip


def measure(arguments: list[str]) -> tuple[float, float, int]:
    """Return seconds on the clock, seconds of processor, and the peak of resident memory in bytes."""
    start = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if status != 0:
        raise SystemExit(f"failed: {' '.join(arguments)}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=400_000_000)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--prism", type=Path, default=HERE.parents[1] / "target/release/prism")
    parser.add_argument("--place", type=Path, default=None, help="a directory with room; kept text is used again")
    parser.add_argument("--prepare", action="store_true", help="write the text and measure nothing")
    arguments = parser.parse_args()
    place = arguments.place or Path(tempfile.mkdtemp(prefix="prism-bench-data-"))
    source = place / f"text-{arguments.bytes}"
    noted = place / f"text-{arguments.bytes}.bytes"
    if not noted.exists():
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        noted.write_text(str(write_text(source, arguments.bytes, arguments.files)))
    text_bytes = int(noted.read_text())
    if arguments.prepare:
        return
    variants = arguments.variants.split(",")
    results: dict[str, list[tuple[float, float, int]]] = {variant: [] for variant in variants}
    load_before = os.getloadavg()[0]
    for _ in range(arguments.runs):
        for variant in variants:
            out = place / "out"
            shutil.rmtree(out, ignore_errors=True)
            results[variant].append(measure(command(variant, arguments.prism, source, out)))
            shutil.rmtree(out, ignore_errors=True)
    print(f"{text_bytes / 1e6:.0f} MB of text; {os.cpu_count()} cores, {platform.machine()}, Python "
          f"{platform.python_version()}, pyarrow {pa.__version__}; load before {load_before:.2f}, after {os.getloadavg()[0]:.2f}")
    print("| variant | runs | MB of text a second: median (least, most) | processor, s | peak memory, MB |")
    print("| --- | --- | --- | --- | --- |")
    for variant, measured in results.items():
        rates = sorted(text_bytes / 1e6 / seconds for seconds, _, _ in measured)
        print(
            f"| {variant} | {len(rates)} | {statistics.median(rates):.1f} ({rates[0]:.1f}, {rates[-1]:.1f}) | "
            f"{statistics.median(cpu for _, cpu, _ in measured):.1f} | {max(peak for _, _, peak in measured) / 1e6:.0f} |"
        )
    if arguments.place is None:
        shutil.rmtree(place)


main()
