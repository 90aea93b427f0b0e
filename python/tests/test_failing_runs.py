"""Every way a bundle can fail: the reason, the phase, and what the miner gets to read."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ARCHITECTURE, TRAINING, MakeBundle
from fake_referee import VOCAB_SIZE, Workers, drive, make_batch, pack_i32, settings

from prism_runtime.messages import Built, Config, Failed, Layout, Question, Shape

BATCHES = [
    make_batch(0, [[16, 1, 2, 3, 4], [16, 4, 3, 2, 1]]),
    make_batch(1, [[4, 5, 6, 7, 8], [1, 5, 6, 7, 8]]),
]


def body(*lines: str) -> str:
    """Make a training file whose loop is `lines`."""
    indented = "".join(f"    {line}\n" for line in lines)
    return f"import torch\ndef train(ctx):\n    model = ctx.build_model()\n{indented}"


def loop(*lines: str, arguments: str = "batch_size=2, seq_len=4") -> str:
    """Make a training file whose step is `lines`."""
    return body(
        f"for batch in ctx.stream(model, {arguments}):",
        *(f"    {line}" for line in lines or ["pass"]),
    )


STEP = "batch.loss(model(batch.inputs))"


def built(line: str, before: str = "") -> str:
    """Make an architecture whose `build_model` does `line` to an honest `model`."""
    return (
        ARCHITECTURE.replace("return Model(ctx.vocab_size)", "model = Model(ctx.vocab_size)")
        + f"        {line}\n        return model\n"
        + before
    )


@dataclass(frozen=True)
class Case:
    """One failing bundle and what must be said of it."""

    name: str
    phase: int
    reason: str
    says: str
    training: str = TRAINING
    architecture: str = ARCHITECTURE


CASES = [
    Case("architecture raises", 0, "exception", "boom", architecture="raise ValueError('boom')"),
    Case("architecture does not parse", 0, "exception", "syntax", architecture="def :"),
    Case("no build_model", 0, "contract", "build_model(ctx)", architecture="x = 1"),
    Case("training raises", 1, "exception", "division", training="1 / 0"),
    Case("no train", 1, "contract", "train(ctx)", training="x = 1"),
    Case("a missing import", 1, "exception", "nowhere", training="import nowhere"),
    Case(
        "build_model raises", 2, "exception", "boom", architecture=built("raise ValueError('boom')")
    ),
    Case("not a module", 2, "not_a_module", "torch.nn.Module", architecture=built("model = 3")),
    Case(
        "a model without values",
        2,
        "contract",
        "to_empty(device=ctx.device)",
        architecture=built("model = model.to('meta')"),
    ),
    Case("train raises", 3, "exception", "boom", training=body("raise ValueError('boom')")),
    Case("train exits", 3, "exception", "Return from", training=body("raise SystemExit(0)")),
    Case("train exits in words", 3, "exception", "short", body("raise SystemExit('too short')")),
    Case("python memory", 3, "out_of_memory", "batch_size", training=body("raise MemoryError")),
    Case("torch memory", 3, "out_of_memory", "Lower", training=body("torch.empty(2**60)")),
    Case(
        "quota",
        3,
        "artifact_quota",
        "artifacts_dir",
        training=body("import errno", "raise OSError(errno.ENOSPC, 'full')"),
    ),
    Case("no claims", 3, "claims_missing", "batch.loss", training=loop("pass")),
    Case("narrow logits", 3, "logits_shape", "(2, 4, 17)", training=loop(STEP[:-1] + "[..., :3])")),
    Case(
        "padded logits",
        3,
        "logits_shape",
        "[..., :ctx.vocab_size]",
        training=loop("batch.loss(torch.zeros(2, 4, 64))"),
    ),
    Case("no logits", 3, "logits_shape", "NoneType", training=loop("batch.loss(None)")),
    Case(
        "narrow logits in an evaluation",
        3,
        "logits_shape",
        "(2, 4, 17)",
        training=loop("pass", arguments="batch_size=2, seq_len=4, claims='eval'"),
        architecture=ARCHITECTURE.replace(
            "return self.head(hidden)",
            "return self.head(hidden)[..., : None if self.training else 3]",
        ),
    ),
    Case(
        "no rows", 3, "batch_shape", "1 to 1024", training=loop(arguments="batch_size=0, seq_len=4")
    ),
    Case(
        "half rows", 3, "batch_shape", "2.0", training=loop(arguments="batch_size=2.0, seq_len=4")
    ),
    Case(
        "long rows", 3, "batch_shape", "4096", training=loop(arguments="batch_size=2, seq_len=4097")
    ),
    Case(
        "another shape",
        3,
        "batch_shape",
        'batch_size=2, seq_len=4, claims="loss", and now with batch_size=2, seq_len=3',
        training=body(
            "ctx.stream(model, batch_size=2, seq_len=4)",
            "ctx.stream(model, batch_size=2, seq_len=3)",
        ),
    ),
    Case(
        "another tokenizer",
        3,
        "tokenizer_mismatch",
        "prism.yaml",
        training=body("ctx.reference_tokenizer('gpt2')"),
    ),
    Case(
        "another tokenizer, older interface",
        3,
        "tokenizer_mismatch",
        "prism.yaml",
        training=body("ctx.iter_train_batches(model, batch_size=2, seq_len=5, tokenizer='gpt2')"),
    ),
    Case(
        "no model",
        3,
        "not_a_module",
        "build_model",
        training=body("ctx.stream('model', batch_size=2, seq_len=4)"),
    ),
    Case(
        "odd claims",
        3,
        "contract",
        '"eval"',
        training=loop(arguments="batch_size=2, seq_len=4, claims='none'"),
    ),
    Case(
        "a changed model",
        3,
        "snapshot_changed",
        "extra",
        training=loop(STEP, "model.register_buffer('extra', torch.zeros(1))"),
    ),
    Case(
        "a complex buffer",
        3,
        "snapshot_dtype",
        "view_as_real",
        training=loop(STEP),
        architecture=built("model.register_buffer('z', torch.zeros(1, dtype=torch.cfloat))"),
    ),
    Case(
        "too many parameters",
        3,
        "parameter_cap",
        "150,000,000 are allowed",
        training=loop(STEP),
        architecture=built(
            "model.ballast = torch.nn.Parameter(torch.empty(150_000_001, dtype=torch.int8), False)"
        ),
    ),
    Case(
        "too many bytes",
        3,
        "snapshot_cap",
        "bytes",
        training=loop(STEP),
        architecture=built("model.register_buffer('big', torch.zeros(3_000_000))"),
    ),
    Case(
        "a misspelt name of the context",
        3,
        "exception",
        "`ctx` has no attribute `strem`. Did you mean `ctx.stream`?",
        training=body("ctx.strem(model, batch_size=2, seq_len=4)"),
    ),
    Case(
        "half a name of the context",
        3,
        "exception",
        "Did you mean `ctx.vocab_size`?",
        training=body("ctx.vocab"),
    ),
    Case(
        "a name that is like none of the context",
        3,
        "exception",
        "It has artifacts_dir, attempt,",
        training=body("ctx.xyzzy"),
    ),
    Case("a written context", 3, "exception", "read-only", training=body("ctx.seed = 3")),
    Case(
        "a pickled context",
        3,
        "contract",
        "state_dict",
        training=body("import pickle", "pickle.dumps(ctx)"),
    ),
    Case("a logged text", 3, "contract", ".item()", training=body("ctx.log(loss='low')")),
    Case(
        "too many metrics",
        3,
        "contract",
        "32",
        training=body("ctx.log(**{str(i): 0.0 for i in range(33)})"),
    ),
    Case("a long metric", 3, "contract", "Shorten", training=body("ctx.log(**{'m' * 65: 1.0})")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_learner_says_why_it_gave_up(
    case: Case, make_bundle: MakeBundle, workers: Workers
) -> None:
    bundle = make_bundle(case.training, case.architecture)
    learner = workers.fork()
    learner.start(settings("learner", bundle))
    failed = drive(learner, BATCHES).ending
    assert isinstance(failed, Failed), learner.log()
    assert (failed.phase, failed.reason) == (case.phase, case.reason), failed
    assert case.says in failed.message
    check_that_paths_are_hidden(failed, bundle)
    assert learner.close() == 1


def check_that_paths_are_hidden(failed: Failed, bundle: Path) -> None:
    for text in (failed.message, failed.traceback):
        assert str(bundle) not in text
        assert "prism_runtime/" not in text
        assert "site-packages" not in text
        assert "importlib" not in text


def test_the_traceback_shows_the_miners_own_lines(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    bundle = make_bundle(
        """
        from helper import fail
        def train(ctx):
            model = ctx.build_model()
            fail()
        """,
        helper="""
        import json
        def fail():
            try:
                json.loads("{")
            except ValueError as error:
                raise KeyError("no settings") from error
        """,
    )
    learner = workers.fork()
    learner.start(settings("learner", bundle))
    failed = drive(learner, []).ending
    assert isinstance(failed, Failed)
    assert failed.exception == "KeyError"
    assert 'File "training.py", line 5, in train\n    fail()' in failed.traceback
    assert 'File "helper.py", line 7, in fail' in failed.traceback
    assert "JSONDecodeError" in failed.traceback
    assert "decoder.py" not in failed.traceback
    assert failed.traceback in learner.log()


def test_what_the_bundle_said_comes_before_our_advice(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    bundle = make_bundle(body("raise SystemExit('the data is too short')"))
    learner = workers.fork()
    learner.start(settings("learner", bundle))
    failed = drive(learner, []).ending
    assert isinstance(failed, Failed)
    assert failed.message.splitlines()[0] == "the data is too short"
    assert "Return from" in failed.message


def test_a_long_message_is_cut_and_fits_the_frame(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    deep = "def f(n):\n    f(n + 1)\n" + body("f(0)")
    wide = body("raise ValueError('\\ud800' + 'ü' * 100_000 + 'end')")
    for source, expected, end in ((deep, "RecursionError", ""), (wide, "ValueError", "end")):
        bundle = make_bundle(source)
        learner = workers.fork()
        learner.start(settings("learner", bundle))
        failed = drive(learner, []).ending
        assert isinstance(failed, Failed)
        assert failed.exception == expected
        assert failed.message.endswith(end)
        assert len(failed.traceback) > 100
        for file in bundle.iterdir():
            file.unlink()
        bundle.rmdir()


def test_an_auditor_has_no_stream(make_bundle: MakeBundle, workers: Workers) -> None:
    source = built("ctx.stream(model, batch_size=2, seq_len=4)")
    auditor = workers.fork()
    auditor.start(settings("auditor", make_bundle(architecture=source)))
    failed = auditor.expect(Failed)
    assert (failed.phase, failed.reason) == (2, "contract")
    assert "train(ctx)" in failed.message


def test_an_auditor_reports_forward_and_build_apart(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    source = ARCHITECTURE.replace(
        "return self.head(hidden)",
        "return self.head(hidden)[0] if int(tokens[0, 0]) == 5 else self.head(hidden)",
    )
    auditor = workers.fork()
    auditor.start(settings("auditor", make_bundle(architecture=source)))
    auditor.expect(Built)
    auditor.send(Shape(2, 4))
    auditor.expect(Layout)
    auditor.send(Question(1, 0, 0, 4, pack_i32([5, 16, 16, 16])))
    failed = auditor.expect(Failed)
    assert (failed.phase, failed.reason) == (4, "logits_shape")
    assert f"(4, {VOCAB_SIZE})" in failed.message
    assert auditor.close() == 1


def test_a_vanished_referee_ends_the_worker_quietly(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    learner = workers.fork()
    learner.start(settings("learner", make_bundle()))
    assert learner.close() == 0
    assert learner.log() == ""


def test_a_wrong_config_is_a_defect_and_not_the_miners_fault(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    learner = workers.fork()
    learner.send(Config(settings("learner", make_bundle(), surprise=1)))
    assert learner.close() == 70
    assert "unknown ['surprise']" in learner.log()
