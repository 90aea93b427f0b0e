"""What a bundle may do, run for real: claims, predictors, streams, seeds, the older interface."""

import os
import sys
from textwrap import dedent

import pytest
from conftest import ARCHITECTURE, TRAINING, MakeBundle
from fake_referee import Pass, Worker, Workers, drive, make_batch, settings

from prism_runtime import session
from prism_runtime.messages import Built, Done, Failed, Layout, Log, Note, Shape

BATCHES = [
    make_batch(0, [[16, 1, 2, 3, 4], [16, 4, 3, 2, 1]]),
    make_batch(1, [[4, 5, 6, 7, 8], [1, 5, 6, 7, 8]], read_bytes=330_000),
    make_batch(
        2, [[8, 9, 9, 9, 9], [8, 1, 1, 16, 16]], [[1, 1, 1, 1], [1, 1, 1, 0]], read_bytes=742_500
    ),
]

# Dropout, batch statistics, and a frozen layer whose flag differs from its parent's.
NOISY = """
    import torch
    from torch import nn

    class Model(nn.Module):
        def __init__(self, vocab_size):
            super().__init__()
            self.embed = nn.Embedding(vocab_size, 8)
            self.norm = nn.BatchNorm1d(8)
            self.frozen = nn.BatchNorm1d(8)
            self.drop = nn.Dropout(0.5)
            self.head = nn.Linear(8, vocab_size)

        def forward(self, tokens):
            hidden = self.embed(tokens).transpose(1, 2)
            hidden = self.frozen(self.norm(hidden)).transpose(1, 2)
            return self.head(self.drop(hidden))

    def build_model(ctx):
        return Model(ctx.vocab_size)
"""

NOISY_TRAINING = """
    import random, torch
    import numpy as np

    def train(ctx):
        model = ctx.build_model()
        model.train()
        model.frozen.eval()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        for batch in ctx.stream(model, batch_size=2, seq_len=4, claims="MODE"):
            assert model.training and model.norm.training and not model.frozen.training
            loss = batch.loss(model(batch.inputs))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            model.head.bias.data[:3] = torch.tensor(
                [random.random(), np.random.rand(), torch.rand(()).item()]
            )
"""


def run(worker: Worker, bundle: object, **changes: object) -> Pass:
    worker.start(settings("learner", bundle, **changes))  # type: ignore[arg-type]
    return drive(worker, BATCHES)


def finished(record: Pass, worker: Worker) -> Pass:
    assert record.ending == Done(1), f"{record.ending}\n{worker.log()}"
    return record


def test_evaluation_claims_leave_no_trace_in_the_training(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    records = []
    bundle = make_bundle(architecture=NOISY)
    for mode in ("loss", "eval"):
        (bundle / "training.py").write_text(dedent(NOISY_TRAINING.replace("MODE", mode)))
        worker = workers.fork()
        records.append(finished(run(worker, bundle), worker))
    by_loss, by_eval = records
    assert by_loss.opened is not None
    assert by_eval.opened is not None
    assert (by_loss.opened.claims, by_eval.opened.claims) == (0, 1)
    assert by_loss.snapshots == by_eval.snapshots
    assert by_loss.claims != by_eval.claims


def test_two_runs_are_the_same_byte_for_byte(make_bundle: MakeBundle, workers: Workers) -> None:
    bundle = make_bundle(NOISY_TRAINING.replace("MODE", "eval"), NOISY)
    first, second = (finished(run(w, bundle), w) for w in (workers.fork(), workers.fork()))
    assert first == second
    worker = workers.fork()
    assert finished(run(worker, bundle, seed=5), worker).snapshots[0] != first.snapshots[0]


def test_a_predictor_is_what_is_snapshotted_and_claims(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    source = """
    import torch
    from torch.optim.swa_utils import AveragedModel

    def train(ctx):
        model = ctx.build_model()
        average = AveragedModel(model)
        with torch.no_grad():
            model.head.weight.fill_(3.0)
        stream = ctx.stream(model, batch_size=2, seq_len=4, predictor=average)
        for batch in stream:
            torch.nn.functional.cross_entropy(
                model(batch.inputs).flatten(0, 1), batch.targets.flatten()
            ).backward()
            average.update_parameters(model)
    """
    worker = workers.fork()
    record = finished(run(worker, make_bundle(source)), worker)
    plain = workers.fork()
    plain_record = finished(run(plain, make_bundle_again(worker, TRAINING)), plain)
    assert record.opened is not None
    assert record.opened.claims == 1
    # The average starts from the untouched random init, not from the model that was overwritten.
    assert record.snapshots[0] == plain_record.snapshots[0]
    assert record.layout == plain_record.layout


def make_bundle_again(worker: Worker, training: str) -> object:
    """Change the training of the bundle beside the worker's log."""
    bundle = worker.log_path.parent / "bundle"
    (bundle / "training.py").write_text(dedent(training))
    return bundle


def test_a_second_stream_continues_the_one_pass(make_bundle: MakeBundle, workers: Workers) -> None:
    source = """
    def train(ctx):
        model = ctx.build_model()
        for batch in ctx.stream(model, batch_size=2, seq_len=4):
            batch.loss(model(batch.inputs))
            assert batch.step == 0
            break
        stream = ctx.stream(model, batch_size=2, seq_len=4)
        assert len(stream) == 3
        steps = []
        for batch in stream:
            batch.loss(model(batch.inputs))
            steps.append(batch.step)
        assert steps == [1, 2]
        assert list(stream) == [] == list(ctx.stream(model, batch_size=2, seq_len=4))
    """
    worker = workers.fork()
    assert len(finished(run(worker, make_bundle(source)), worker).claims) == 3


def test_a_pass_has_as_many_batches_as_its_length_and_tells_how_far_it_is(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    source = """
    def train(ctx):
        model = ctx.build_model()
        stream = ctx.stream(model, batch_size=2, seq_len=4)
        seen = []
        for step in range(len(stream)):
            batch = next(stream)
            batch.loss(model(batch.inputs))
            seen.append((batch.step - step, batch.progress))
        assert seen == [(0, 0.0), (0, 330_000 / 990_000), (0, 0.75)]
        assert next(stream, None) is None
    """
    worker = workers.fork()
    assert len(finished(run(worker, make_bundle(source)), worker).claims) == 3


def test_masks_and_shapes_arrive(make_bundle: MakeBundle, workers: Workers) -> None:
    source = """
    import torch

    def train(ctx):
        model = ctx.build_model()
        for batch in ctx.stream(model, batch_size=2, seq_len=4):
            assert batch.tokens.shape == (2, 5) and batch.tokens.dtype == torch.int64
            assert batch.mask.shape == (2, 4) and batch.mask.dtype == torch.bool
            assert batch.inputs.device.type == ctx.device
            logits = model(batch.inputs)
            loss = batch.loss((logits, None))
            dense = torch.nn.functional.cross_entropy(
                logits[batch.mask], batch.targets[batch.mask]
            )
            torch.testing.assert_close(loss, dense)
        assert batch.mask.tolist()[1] == [True, True, True, False]
        assert batch.tokens.tolist()[0] == [8, 9, 9, 9, 9]
    """
    worker = workers.fork()
    finished(run(worker, make_bundle(source)), worker)


@pytest.mark.parametrize("file", ["architecture", "my_model"])
def test_every_path_to_build_model_is_under_the_forced_seed(
    make_bundle: MakeBundle, workers: Workers, file: str
) -> None:
    source = f"""
    import random, torch
    import architecture, helper, {file}
    from architecture import build_model
    from {file} import build_model as other

    def train(ctx):
        before = torch.get_rng_state()
        models = [ctx.build_model(), build_model(ctx), architecture.build_model(ctx), other(ctx),
                  helper.build_model(ctx), {file}.build_model(ctx)]
        assert torch.equal(torch.get_rng_state(), before)
        torch.manual_seed(999)
        random.seed(999)
        models += [ctx.build_model(), build_model(ctx), helper.build_model(ctx)]
        first = models[0].state_dict()
        for model in models[1:]:
            for name, tensor in model.state_dict().items():
                assert torch.equal(tensor, first[name]), name
        assert architecture.Model is helper.Model
    """
    bundle = make_bundle(source, helper="from architecture import build_model, Model")
    (bundle / "architecture.py").rename(bundle / f"{file}.py")
    worker = workers.fork()
    record = run(worker, bundle, architecture_file=f"{file}.py")
    assert record.ending == Done(0), f"{record.ending}\n{worker.log()}"


def test_a_build_model_kept_in_a_helper_is_seeded_there_too(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    training = """
    import torch
    from helper import build_model

    def train(ctx):
        torch.manual_seed(1)
        one = build_model(ctx)
        torch.manual_seed(2)
        assert torch.equal(build_model(ctx).head.weight, one.head.weight)
    """
    bundle = make_bundle(training, "from helper import build_model", helper=ARCHITECTURE)
    worker = workers.fork()
    record = run(worker, bundle)
    assert record.ending == Done(0), f"{record.ending}\n{worker.log()}"


def test_a_bundle_of_the_older_interface_runs_unmodified(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    architecture = """
    import torch
    from torch import nn
    from prism_challenge.evaluator.interface import PrismContext, TrainingRecipe

    class Model(nn.Module):
        def __init__(self, ctx: PrismContext):
            super().__init__()
            self.embed = nn.Embedding(ctx.vocab_size, 8)
            self.head = nn.Linear(8, ctx.vocab_size)

        def forward(self, tokens):
            return self.head(self.embed(tokens))

    def build_model(ctx: PrismContext):
        assert isinstance(ctx, PrismContext)
        return Model(ctx)

    def get_recipe(ctx):
        return TrainingRecipe(learning_rate=0.1, batch_size=2)
    """
    training = """
    import torch
    import torch.nn.functional as F
    from architecture import build_model, get_recipe
    from prism_challenge.evaluator.interface import PrismBatch, PrismContext

    def train(ctx: PrismContext):
        model = build_model(ctx)
        recipe = get_recipe(ctx)
        assert (recipe.optimizer, ctx.max_parameters) == ("adamw", 150_000_000)
        assert (ctx.sequence_length, ctx.budget_seconds) == (9, 600.0)
        assert ctx.max_seq_len == ctx.sequence_length
        assert (ctx.attempt, ctx.is_resume, ctx.max_layers) == (1, False, 96)
        assert ctx.resume_checkpoint_dir is ctx.checkpoint_dir is None
        assert ctx.distributed_backend is ctx.reference_tokenizer_dir is None
        optimizer = torch.optim.SGD(model.parameters(), lr=recipe.learning_rate)
        tokenizer = ctx.reference_tokenizer("bytes")
        assert (tokenizer.vocab_size, tokenizer.end_of_text) == (ctx.vocab_size, 16)
        batches = ctx.iter_train_batches(
            model, batch_size=recipe.batch_size, seq_len=5, tokenizer=tokenizer
        )
        count = 0
        for batch in batches:
            assert isinstance(batch, PrismBatch) and batch.tokens.shape == (2, 5)
            logits = model(batch.tokens[:, :-1])
            loss = F.cross_entropy(logits.flatten(0, 1), batch.tokens[:, 1:].flatten())
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            count += 1
        assert count == 3
    """
    worker = workers.fork()
    record = finished(run(worker, make_bundle(training, architecture)), worker)
    assert record.opened is not None
    assert (record.opened.seq_len, record.opened.claims) == (4, 1)
    assert len(record.claims) == 3


@pytest.mark.parametrize(
    "change",
    [
        "model = nn.Sequential(nn.Embedding(17, 8), nn.LazyLinear(17))",
        "model = model.bfloat16()",
        "model.head = nn.Linear(8, 17); model.head.weight = model.embed.weight",
        "model.register_buffer('position', torch.arange(9), persistent=False)",
        "model.extra = nn.BatchNorm1d(3)",
        "model = nn.DataParallel(model)",
        "model.mix = nn.Identity(); model.forward = lambda t: (model.head(model.embed(t)), None)",
    ],
    ids=["lazy", "bf16", "tied", "non-persistent", "unused", "wrapped", "tuple"],
)
def test_learner_and_auditor_agree_on_the_layout(
    make_bundle: MakeBundle, workers: Workers, change: str
) -> None:
    honest = "        return Model(ctx.vocab_size)"
    edited = "        model = Model(ctx.vocab_size)\n        " + change + "\n        return model"
    bundle = make_bundle(architecture=ARCHITECTURE.replace(honest, edited))
    learner, auditor = workers.fork(), workers.fork()
    record = finished(run(learner, bundle), learner)
    auditor.start(settings("auditor", bundle))
    auditor.expect(Built)
    auditor.send(Shape(2, 4))
    assert auditor.expect(Layout) == record.layout
    assert len(record.claims) == 3


@pytest.mark.parametrize("mode", ["loss", "eval"])
def test_compiled_models_and_blocks_run(
    make_bundle: MakeBundle, workers: Workers, mode: str
) -> None:
    training = TRAINING.replace("seq_len=4", f"seq_len=4, claims='{mode}'")
    source = training.replace(
        "        optimizer =",
        "        model.head = torch.compile(model.head, backend='eager')\n"
        "        model = torch.compile(model, backend='eager')\n"
        "        optimizer =",
    )
    bundle = make_bundle(source)
    compiled, plain = workers.fork(), workers.fork()
    record = finished(run(compiled, bundle), compiled)
    make_bundle_again(plain, training)
    assert finished(run(plain, bundle), plain) == record


def test_an_auditor_never_compiles(make_bundle: MakeBundle, workers: Workers) -> None:
    # A backend that fails shows whether anything was compiled.
    source = ARCHITECTURE.replace(
        "return Model(ctx.vocab_size)",
        "return torch.compile(Model(ctx.vocab_size), backend=lambda graph, inputs: 1 / 0)",
    )
    auditor = workers.spawn()
    auditor.start(settings("auditor", make_bundle(architecture=source)))
    auditor.expect(Built)
    auditor.send(Shape(2, 4))
    auditor.expect(Layout)


def test_a_missing_compiler_is_named_with_a_hint(make_bundle: MakeBundle, workers: Workers) -> None:
    source = TRAINING.replace("ctx.build_model()", "torch.compile(ctx.build_model())")
    architecture = ARCHITECTURE.replace("nn.GRU(width, width, batch_first=True)", "nn.ReLU()")
    architecture = architecture.replace("hidden, _ =", "hidden =")
    bundle = make_bundle(source, architecture)
    environment = dict(os.environ) | {
        "CXX": "/nowhere/g++",
        "TORCHINDUCTOR_CACHE_DIR": str(bundle.parent / "cache"),
    }
    learner = workers.spawn(sys.executable, environment)
    failed = run(learner, bundle).ending
    assert isinstance(failed, Failed), learner.log()
    assert failed.reason == "exception"
    assert failed.message.startswith("`torch.compile` needs a C++ compiler")


def test_metrics_and_warnings_reach_the_report(make_bundle: MakeBundle, workers: Workers) -> None:
    source = """
    import warnings, torch

    def train(ctx):
        ctx.log(loss=torch.tensor(2.5), step=3)
        for _ in range(2):
            warnings.warn("put_ does not have a deterministic implementation", stacklevel=1)
        print("a line on stdout")
        ctx.log()
    """
    learner = workers.fork()
    assert run(learner, make_bundle(source)).ending == Done(0)
    assert learner.aside == [
        Log((("loss", 2.5), ("step", 3.0))),
        Note("put_ does not have a deterministic implementation"),
        Log(()),
    ]
    assert "a line on stdout" in learner.log()


def test_logging_without_end_is_noted_once(
    make_bundle: MakeBundle, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LOG_CALLS_MAX", 3)
    learner = workers.fork()
    source = "def train(ctx):\n    for i in range(9):\n        ctx.log(i=i)\n"
    assert run(learner, make_bundle(source)).ending == Done(0)
    assert learner.aside[:3] == [Log((("i", float(i)),)) for i in range(3)]
    assert [type(frame) for frame in learner.aside[3:]] == [Note]


def test_an_early_return_keeps_the_batch_in_hand_unclaimed(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    source = """
    def train(ctx):
        model = ctx.build_model()
        for batch in ctx.stream(model, batch_size=2, seq_len=4):
            if batch.step == 1:
                return
            batch.loss(model(batch.inputs))
    """
    learner = workers.fork()
    record = finished(run(learner, make_bundle(source)), learner)
    assert len(record.claims) == 1


def test_threads_left_behind_do_not_keep_the_process(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    source = """
    import atexit, threading

    def train(ctx):
        threading.Thread(target=threading.Event().wait).start()
        atexit.register(threading.Event().wait)
    """
    learner = workers.fork()
    assert run(learner, make_bundle(source)).ending == Done(0)
    assert learner.close() == 0


def test_the_context_is_what_config_says_and_can_be_copied(
    make_bundle: MakeBundle, workers: Workers
) -> None:
    source = """
    import copy, torch

    def train(ctx):
        model = ctx.build_model()
        model.ctx = ctx
        twin = copy.deepcopy(model)
        assert twin.ctx is ctx is copy.copy(ctx)
        assert twin is not model
        assert "vocab_size=17" in repr(ctx)
        assert (ctx.max_params, ctx.seed, ctx.sequence_length) == (150_000_000, 1234, 9)
        assert (ctx.world_size, ctx.rank, ctx.local_rank) == (1, 0, 0)
        assert (ctx.token_budget, ctx.step_budget, ctx.byte_budget) == (10**6, 10**6, 990_000)
        open(ctx.artifacts_dir + "/weights", "w").close()
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert torch.get_float32_matmul_precision() == "highest"
        assert torch.backends.cudnn.deterministic and not torch.backends.cudnn.benchmark
        assert not torch.backends.cudnn.allow_tf32
    """
    learner = workers.fork()
    record = run(learner, make_bundle(source))
    assert record.ending == Done(0), learner.log()
