"""Archives to upload: bundles that the gate lets through, each different from all others, and some that it does not."""

import base64
import hashlib
import io
import itertools
import json
import zipfile

ARCHITECTURE = """\
import torch
from torch import nn

ARCHITECTURE_NAME = "Contract {number}"


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, {width})
        self.head = nn.Linear({width}, vocab_size)

    def forward(self, tokens):
        return self.head(torch.tanh(self.embedding(tokens)) * {scale})


def build_model(ctx):
    return Model(ctx.vocab_size)
"""
TRAINING = """\
import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size={rows}, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
"""

_numbers = itertools.count(1)


def zipped(files: dict[str, str], *, comment: bytes = b"") -> bytes:
    """Return an archive whose bytes depend on nothing but these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)
        archive.comment = comment
    return out.getvalue()


def bundle() -> bytes:
    """Return a bundle that nobody has submitted."""
    number = next(_numbers)
    architecture = ARCHITECTURE.format(number=number, width=8 + number, scale=1 + number / 1000)
    return zipped({"architecture.py": architecture, "training.py": TRAINING.format(rows=1 + number % 32)})


def refused_bundle() -> bytes:
    """Return a bundle that the gate refuses."""
    number = next(_numbers)
    architecture = "import socket\n" + ARCHITECTURE.format(number=number, width=8, scale=1)
    return zipped({"architecture.py": architecture, "training.py": TRAINING.format(rows=4)})


def empty_zip(comment: bytes = b"") -> bytes:
    """Return an archive without files: small, different by its comment, and no bundle."""
    return b"PK\x05\x06" + bytes(16) + len(comment).to_bytes(2, "little") + comment


def as_json(archive: bytes, **fields: object) -> bytes:
    """Return the JSON form of an upload."""
    form = {
        "filename": "project.zip",
        "code": base64.b64encode(archive).decode(),
        "metadata": {},
    } | fields
    return json.dumps(form).encode()


def code_hash(archive: bytes) -> str:
    """Return what the contract calls the hash of the code: that of the base64 text."""
    return hashlib.sha256(base64.b64encode(archive)).hexdigest()
