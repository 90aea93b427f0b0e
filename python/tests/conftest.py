"""Fixtures: bundles on disk, workers that are always ended."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import torch
import torch._dynamo  # every optimizer imports it; once here is cheaper than in each fork

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
# As the referee starts a worker. A bundle that is written twice within a second would be run from
# the bytecode of the first one.
sys.dont_write_bytecode = True

from fake_referee import Workers

# One thread: workers are forked from this process, and a thread pool does not survive a fork.
torch.set_num_threads(1)

ARCHITECTURE = """
    import torch
    from torch import nn

    class Model(nn.Module):
        def __init__(self, vocab_size, width=8):
            super().__init__()
            self.embed = nn.Embedding(vocab_size, width)
            self.mix = nn.GRU(width, width, batch_first=True)
            self.head = nn.Linear(width, vocab_size)

        def forward(self, tokens):
            hidden, _ = self.mix(self.embed(tokens))
            return self.head(hidden)

    def build_model(ctx):
        return Model(ctx.vocab_size)
"""

TRAINING = """
    import torch

    def train(ctx):
        model = ctx.build_model()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        for batch in ctx.stream(model, batch_size=2, seq_len=4):
            loss = batch.loss(model(batch.inputs))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
"""

MakeBundle = Callable[..., Path]


@pytest.fixture
def make_bundle(tmp_path: Path) -> MakeBundle:
    """Return a function that writes a bundle; unnamed files are the honest ones."""

    def make(training: str = TRAINING, architecture: str = ARCHITECTURE, **others: str) -> Path:
        bundle = tmp_path / "bundle"
        bundle.mkdir()
        files = {"architecture": architecture, "training": training} | others
        for name, text in files.items():
            (bundle / f"{name}.py").write_text(dedent(text))
        return bundle

    return make


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    """Start workers with this; all are gone when the test is."""
    group = Workers(tmp_path)
    yield group
    group.end()
