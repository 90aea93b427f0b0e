"""Do the job of `run.py` with datasets: `with_datasets.py SOURCE OUT`."""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
CACHE = tempfile.TemporaryDirectory(dir=Path(sys.argv[2]).parent)
os.environ["HF_HOME"] = CACHE.name

import datasets  # noqa: E402

KEY = b"prism"


def digest(batch: dict) -> dict:
    """Return the keyed hashes of texts' words."""
    hashes = [
        hashlib.blake2b(" ".join(text.split()).encode(), digest_size=16, key=KEY).hexdigest() for text in batch["text"]
    ]
    return {"digest": hashes}


def main() -> None:
    """Read, take, hash, sort, write."""
    datasets.disable_progress_bars()
    source, out = sys.argv[1], Path(sys.argv[2])
    files = [str(path) for path in sorted(Path(source).glob("*.parquet"))]
    columns = ["text", "language_score", "int_score"]
    rows = datasets.load_dataset("parquet", data_files=files, split="train", columns=columns)
    rows = rows.filter(
        lambda batch: [a >= 0.65 and b >= 3 for a, b in zip(batch["language_score"], batch["int_score"], strict=True)],
        batched=True,
        num_proc=os.cpu_count(),
    )
    rows = rows.map(digest, batched=True, num_proc=os.cpu_count())
    hashes = rows["digest"][:]
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    order = [row for before, row in zip([None, *order], order) if before is None or hashes[before] != hashes[row]]
    splits: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    for row in order:
        permille = int(hashes[row][16:], 16) * 1000 >> 64
        splits["val" if permille < 50 else "test" if permille < 100 else "train"].append(row)
    for name, chosen in splits.items():
        rows.select(chosen).select_columns(["text"]).save_to_disk(out / name, max_shard_size="128MB")
    for path in sorted(out.rglob("*.arrow")):
        path.with_suffix(".sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest())


main()
CACHE.cleanup()
