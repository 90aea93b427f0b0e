"""Whole runs: a real learner, auditor and claimant against the fake referee."""

import struct
from textwrap import dedent
from typing import Any

import torch
from conftest import TRAINING, MakeBundle
from fake_referee import (
    END_OF_TEXT,
    VOCAB_SIZE,
    Worker,
    Workers,
    drive,
    make_batch,
    pack_i32,
    settings,
    unpack_f32,
)

from prism_runtime.messages import (
    Answer,
    BatchData,
    Built,
    Done,
    Failed,
    Layout,
    Load,
    Loaded,
    Question,
    Score,
    Scores,
    Shape,
)

BATCHES = [
    make_batch(0, [[16, 1, 2, 3, 4], [16, 4, 3, 2, 1]]),
    make_batch(1, [[4, 5, 6, 7, 8], [1, 5, 6, 7, 8]]),
    make_batch(2, [[8, 9, 9, 9, 9], [8, 1, 1, 16, 16]]),
]


def start_reader(worker: Worker, config: dict[str, Any]) -> Layout:
    """Bring an auditor or claimant to the point where it takes weights."""
    worker.start(config)
    worker.expect(Built)
    worker.send(Shape(2, 4))
    return worker.expect(Layout)


def load(worker: Worker, snapshot: bytes, number: int) -> None:
    worker.segment[:] = snapshot
    worker.send(Load(0, number))
    assert worker.expect(Loaded).id == number


def ask(worker: Worker, row: list[int], column: int) -> Answer:
    padded = row[: column + 1] + [END_OF_TEXT] * (len(row) - column - 1)
    worker.send(Question(7, 0, column, len(row), pack_i32(padded)))
    return worker.expect(Answer)


def nats_of(answer: Answer, target: int) -> float:
    logits = torch.tensor(unpack_f32(answer.logits), dtype=torch.float64)
    return float(-torch.log_softmax(logits, 0)[target])


def audit(auditor: Worker, batch: BatchData) -> list[float]:
    """Ask about every target of a batch."""
    rows = torch.tensor(struct.unpack("<10i", batch.tokens)).view(2, 5).tolist()
    return [nats_of(ask(auditor, row[:-1], t), row[t + 1]) for row in rows for t in range(4)]


def test_a_fresh_interpreter_runs_a_whole_pass(make_bundle: MakeBundle, workers: Workers) -> None:
    start = """
    import sys, warnings
    warnings.warn("this is only logged")
    assert sys.flags.hash_randomization == 0 and sys.flags.safe_path and sys.flags.no_user_site
    """
    warned = dedent(start) + dedent(TRAINING)
    bundle = make_bundle(warned)
    learner, auditor = workers.spawn(), workers.spawn()
    hello = learner.start(settings("learner", bundle))
    assert (hello.role, hello.torch_version) == (1, torch.__version__)
    layout = start_reader(auditor, settings("auditor", bundle))
    record = drive(learner, BATCHES)
    assert record.ending == Done(1)
    assert record.layout == layout
    assert len(record.claims) == 3
    for number, batch in enumerate(BATCHES):
        load(auditor, record.snapshots[number], number)
        torch.testing.assert_close(audit(auditor, batch), record.claims[number], atol=1e-5, rtol=0)
    assert (learner.close(), auditor.close()) == (0, 0)
    assert learner.aside == []
    assert 'warnings.warn("this is only logged")' in learner.log()
    assert auditor.log() == ""


def test_the_claimant_scores_densely(make_bundle: MakeBundle, workers: Workers) -> None:
    bundle = make_bundle()
    learner, claimant, auditor = workers.fork(), workers.fork(), workers.fork()
    learner.start(settings("learner", bundle))
    record = drive(learner, BATCHES[:1])
    start_reader(claimant, settings("claimant", bundle))
    start_reader(auditor, settings("auditor", bundle))
    final = bytes(learner.segment)
    for reader in (claimant, auditor):
        load(reader, final, 1)
    batch = BATCHES[1]
    claimant.send(Score(5, 2, 4, batch.tokens, batch.mask))
    scores = claimant.expect(Scores)
    assert (scores.id, scores.count) == (5, 8)
    torch.testing.assert_close(unpack_f32(scores.nats), audit(auditor, batch), atol=1e-5, rtol=0)
    # Before a run it is asked as an auditor is.
    answers = [bytes(ask(reader, [1, 2, 3, 4], 2).logits) for reader in (claimant, auditor)]
    assert answers[0] == answers[1]
    assert record.ending == Done(1)


def test_buffers_may_stay_as_they_were_made(make_bundle: MakeBundle, workers: Workers) -> None:
    architecture = """
        import torch
        from torch import nn

        class Model(nn.Module):
            def __init__(self, size):
                super().__init__()
                self.head = nn.Parameter(torch.zeros(size))
                self.register_buffer("tenfold", torch.full((size,), 10.0))

            def forward(self, tokens):
                return (self.head * self.tenfold + 100 * self.training).expand(*tokens.shape, -1)

        def build_model(ctx):
            return Model(ctx.vocab_size)
    """
    claimant = workers.fork()
    start_reader(claimant, settings("claimant", make_bundle(architecture=architecture)))
    # Ones for the parameter, at the start, and for the buffer, at the next multiple of 64 bytes.
    ones = struct.pack(f"<{VOCAB_SIZE}f", *[1.0] * VOCAB_SIZE)
    claimant.segment[:68], claimant.segment[128:196] = ones, ones
    found = []
    for source in (0, 1, 2, 3, 2):
        claimant.send(Load(source, source))
        assert claimant.expect(Loaded).id == source
        found.append(unpack_f32(ask(claimant, [1, 2, 3, 4], 2).logits)[0])
    assert [float(logit) for logit in found] == [1.0, 0.0, 10.0, 110.0, 10.0]


def test_a_learner_that_only_imports_never_calls_train(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    training = "import architecture\ndef train(ctx): raise ValueError('called')"
    bundle = make_bundle(training=training)
    learner, failing = workers.fork(), workers.fork()
    learner.start(settings("learner", bundle, only_import=True))
    assert learner.expect(Done) == Done(0)
    (bundle / "training.py").write_text("from .architecture import build_model")
    failing.start(settings("learner", bundle, only_import=True))
    failed = failing.expect(Failed)
    assert (failed.phase, failed.exception) == (1, "ImportError")


def test_random_init_is_the_first_snapshot(make_bundle: MakeBundle, workers: Workers) -> None:
    bundle = make_bundle()
    learner, auditor = workers.fork(), workers.fork()
    learner.start(settings("learner", bundle))
    record = drive(learner, BATCHES)
    start_reader(auditor, settings("auditor", bundle))
    load(auditor, record.snapshots[0], 0)
    first = ask(auditor, [1, 2, 3, 4], 2).logits
    load(auditor, record.snapshots[2], 1)
    assert bytes(ask(auditor, [1, 2, 3, 4], 2).logits) != bytes(first)
    auditor.send(Load(1, 9))
    assert auditor.expect(Loaded).id == 9
    assert bytes(ask(auditor, [1, 2, 3, 4], 2).logits) == bytes(first)
    assert ask(auditor, [1, 2, 3, 4], 2).width == VOCAB_SIZE
