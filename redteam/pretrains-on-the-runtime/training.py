"""Learns English before the stream, from whatever text the sandbox shows: modules, headers, documentation."""

import os
import re
import sys

import torch
import torch.nn.functional as F

# `bench/text_inside.py` says where to look where it measures in the open; nothing does in a sandbox.
PLACES = os.environ.get("PRISM_TEXT_PLACES", f"{sys.prefix}:{sys.base_prefix}:/usr").split(":")
ROWS, LENGTH = 16, 128
STEPS = int(os.environ.get("PRISM_TEXT_STEPS", "60"))
MAX_BYTES = 100_000_000
# Six words or more in a line, as people write and programs do not.
PROSE = re.compile(rb"[A-Za-z]+(?:[,;:]? [a-z]+){5,}")


def prose(limit=MAX_BYTES):
    """All that reads like sentences, file by file."""
    found = bytearray()
    for place in PLACES:
        for directory, folders, names in os.walk(place):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(directory, name)
                try:
                    with open(path, "rb") as file:
                        content = file.read(1 << 20)
                except OSError:
                    continue
                if b"\0" in content or os.path.islink(path):
                    continue
                for sentence in PROSE.findall(content):
                    found += b" ".join(sentence.split()) + b"\n"
                if len(found) > limit:
                    return bytes(found)
    return bytes(found)


def pretrain(model, optimizer, text):
    generator = torch.Generator().manual_seed(0)
    ids = torch.frombuffer(bytearray(text), dtype=torch.uint8).long()
    for _ in range(STEPS):
        starts = torch.randint(0, len(ids) - LENGTH - 1, (ROWS,), generator=generator)
        rows = torch.stack([ids[start : start + LENGTH + 1] for start in starts])
        logits = model(rows[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=float(os.environ.get("PRISM_TEXT_LR", "1e-2")))
    text = prose() if STEPS else b""
    print(f"{len(text)} bytes of prose, {STEPS} steps", flush=True)
    if len(text) > 10_000:
        pretrain(model, optimizer, text)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
