"""Do the job of `run.py` with pyarrow, row group by row group: `with_pyarrow.py SOURCE OUT`."""

import hashlib
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SHARD_BYTES = 128 * 1024 * 1024
KEY = b"prism"


def digest(text: str) -> bytes:
    """Return the keyed hash of a text's words."""
    return hashlib.blake2b(" ".join(text.split()).encode(), digest_size=16, key=KEY).digest()


def main() -> None:
    """Read, take, hash, sort, write."""
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir()
    seen: dict[bytes, str] = {}
    for path in sorted(source.glob("*.parquet")):
        file = pq.ParquetFile(path)
        for batch in file.iter_batches(batch_size=1000, columns=["text", "language_score", "int_score"]):
            wanted = pc.and_(pc.greater_equal(batch["language_score"], 0.65), pc.greater_equal(batch["int_score"], 3))
            for text in batch["text"].filter(wanted).to_pylist():
                if text is not None:
                    seen.setdefault(digest(text), text)
    splits: dict[str, list[bytes]] = {"train": [], "val": [], "test": []}
    for key in sorted(seen):
        permille = int.from_bytes(key[8:], "little") * 1000 >> 64
        splits["val" if permille < 50 else "test" if permille < 100 else "train"].append(key)
    for name, keys in splits.items():
        shard, size, number = [], 0, 0
        for key in [*keys, None]:
            if key is None or size >= SHARD_BYTES:
                path = out / f"{name}-{number:05}.parquet"
                pq.write_table(pa.table({"text": shard}), path, compression="none", use_dictionary=False)
                (out / f"{path.name}.sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest())
                shard, size, number = [], 0, number + 1
            if key is not None:
                shard.append(seen[key])
                size += len(shard[-1])


main()
