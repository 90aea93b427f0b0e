"""The code length of an honest run, computed without PRISM.

Called by the test `dense` with the interpreter of the runtime: it reads a corpus, lays its documents on lanes as the
protocol's document says, trains the bundle's model in the plainest loop there is, and prints the bits per byte that the
predictions made before each update cost. It shares no code with the harness or the referee, and knows no claims.
"""

import importlib.util
import json
import math
import random
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

VOCAB_SIZE = 257
END_OF_TEXT = 256


def documents(corpus, max_bytes):
    """The longest prefix of the train documents within `max_bytes`."""
    taken, used = [], 0
    for text_file in sorted(corpus.glob("train-*.txt")):
        text = text_file.read_bytes()
        at = 0
        for length in np.fromfile(text_file.with_suffix(".idx"), dtype="<u4").tolist():
            if used + length > max_bytes:
                return taken
            taken.append(text[at : at + length])
            at, used = at + length, used + length
    return taken


def steps(texts, batch_size, seq_len):
    """Rows of tokens (B, T + 1) and which of their targets are real (B, T)."""
    targets = [token for text in texts for token in [*text, END_OF_TEXT]]
    count = -(-len(targets) // (batch_size * seq_len))
    lane_targets = count * seq_len
    lanes = [targets[lane * lane_targets : (lane + 1) * lane_targets] for lane in range(batch_size)]
    for start in range(0, lane_targets, seq_len):
        # Column 0 is the lane's token before; a lane begins as if a document had ended.
        rows = [(lane[start - 1 : start] or [END_OF_TEXT]) + lane[start : start + seq_len] for lane in lanes]
        real = [len(lane[start : start + seq_len]) for lane in lanes]
        tokens = [row + [END_OF_TEXT] * (seq_len + 1 - len(row)) for row in rows]
        yield torch.tensor(tokens), torch.arange(seq_len) < torch.tensor(real)[:, None]


def build(bundle, seed):
    """The bundle's model under the forced seed."""
    spec = importlib.util.spec_from_file_location("architecture", bundle / "architecture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return module.build_model(SimpleNamespace(vocab_size=VOCAB_SIZE))


def main():
    bundle, corpus, terms = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    texts = documents(corpus, terms["max_bytes"])
    model = build(bundle, terms["seed"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=terms["lr"])
    epsilon = terms["smoothing"]
    nats = 0.0
    for tokens, real in steps(texts, terms["batch_size"], terms["seq_len"]):
        logits = model(tokens[:, :-1])
        losses = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
        real = real.flatten()
        p = torch.exp(-losses.detach().double()[real])
        nats -= torch.log((1 - epsilon) * p + epsilon / VOCAB_SIZE).sum().item()
        optimizer.zero_grad()
        loss = losses.mean() if real.all() else losses[real].mean()
        loss.backward()
        optimizer.step()
    read_bytes = sum(map(len, texts))
    print(json.dumps({"bpb": nats / math.log(2) / read_bytes, "bytes": read_bytes}))


if __name__ == "__main__":
    main()
