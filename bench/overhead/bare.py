"""The same model on the same batches without PRISM: what a measured run is compared with.

Called by `../overhead.py` with the interpreter, the environment and the threads of a worker:
`python bare.py BUNDLE CORPUS MAX_BYTES`. Lays out all batches beforehand; prints one JSON object with the seconds from
the first batch to the last loss, where a measured run has its first batch and its last claims.
"""

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

END_OF_TEXT = 256
VOCAB_SIZE = 257


def documents(corpus, max_bytes):
    """The longest prefix of the train documents within `max_bytes`, each with its end of text."""
    used = 0
    for text_file in sorted(corpus.glob("train-*.txt")):
        text = np.frombuffer(text_file.read_bytes(), dtype=np.uint8)
        at = 0
        for length in np.fromfile(text_file.with_suffix(".idx"), dtype="<u4").tolist():
            if used + length > max_bytes:
                return
            yield np.append(text[at : at + length].astype(np.int64), END_OF_TEXT)
            at, used = at + length, used + length


def batches(texts, rows, columns):
    """Tensors (B, T + 1) of tokens and (B, T) of flags, as the referee lays them out."""
    targets = np.concatenate(list(texts))
    steps = -(-targets.size // (rows * columns))
    real = (np.arange(rows * steps * columns) < targets.size).reshape(rows, steps, columns)
    filled = np.full(rows * steps * columns, END_OF_TEXT, dtype=np.int64)
    filled[: targets.size] = targets
    lanes = np.full((rows, steps * columns + 1), END_OF_TEXT, dtype=np.int64)
    lanes[:, 1:] = filled.reshape(rows, -1)
    for step in range(steps):
        start = step * columns
        tokens = torch.from_numpy(lanes[:, start : start + columns + 1].copy())
        yield tokens, torch.from_numpy(real[:, step])


def main():
    """Train once, print the time."""
    bundle, corpus, max_bytes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    sys.path.insert(0, str(bundle))
    import architecture
    import settings

    # As `prism_runtime.determinism` has it.
    torch.set_num_threads(settings.THREADS)
    torch.set_num_interop_threads(1)
    torch.set_float32_matmul_precision("highest")
    torch.set_deterministic_debug_mode("warn")
    torch.manual_seed(0)
    model = architecture.build_model(SimpleNamespace(vocab_size=VOCAB_SIZE))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    stream = list(batches(documents(corpus, max_bytes), settings.BATCH_SIZE, settings.SEQ_LEN))
    started, processor_started = time.perf_counter(), time.process_time()
    for tokens, real in stream:
        inputs, targets = tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()
        losses = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), reduction="none")
        loss = losses.mean() if real.all() else losses[real.flatten()].mean()
        seconds, processor = time.perf_counter() - started, time.process_time() - processor_started
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    said = {
        "seconds": seconds,
        "processor_seconds": processor,
        "steps": len(stream),
        "loss": loss.item(),
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
