"""A run in the open: the claims of a real one, the real `ctx`, a debugger, and what is told."""

import importlib.util
import json
import math
import os
import re
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from conftest import TRAINING, MakeBundle
from fake_referee import Workers, drive, settings

from prism_runtime.local import run as run_module
from prism_runtime.local.errors import LocalError
from prism_runtime.local.lanes import Lanes, Targets
from prism_runtime.local.manifest import Manifest, read_manifest
from prism_runtime.local.recipe import BUILT_IN, Recipe
from prism_runtime.local.referee import smoothed_nats
from prism_runtime.local.text import DOCUMENT_BYTES_MAX, read_documents
from prism_runtime.local.tokens import ByteEncoder, TableEncoder, load_encoder
from prism_runtime.messages import BatchData, Done

REPOSITORY = Path(__file__).parent.parent.parent
RECIPES = REPOSITORY / "crates" / "prism-core" / "recipes"

TEXT = "A line of text, and another one.\nSo it goes on, caf\u00e9 and all.\n" * 3


def run_local(directory: Path, *arguments: object) -> tuple[int, str]:
    """Run it in a fork of this process; return exit code and output."""
    log = directory / "local.log"
    with log.open("w") as output:
        child = os.fork()
        if child == 0:
            code = 99
            try:
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
                warnings.resetwarnings()
                warnings.simplefilter("default")
                sys.stdout = os.fdopen(1, "w", closefd=False)
                sys.stderr = os.fdopen(2, "w", closefd=False)
                code = run_module.main([*map(str, arguments), "--threads", "1"])
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), log.read_text()


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT.encode())
    return path


def bits_per_byte(output: str) -> float:
    found = re.search(r"^read .*: ([0-9.]+) bits per byte$", output, re.MULTILINE)
    assert found, output
    return float(found[1])


def batches_of(
    documents: list[bytes], batch_size: int, seq_len: int
) -> tuple[list[BatchData], Lanes]:
    lanes = Lanes(
        Targets.of(documents, ByteEncoder()),
        batch_size=batch_size,
        seq_len=seq_len,
        end_of_text=256,
    )
    batches = []
    read_bytes = 0
    for step in range(lanes.steps):
        rows = lanes.rows(step)
        tokens, mask = rows.tokens.astype("<i4").tobytes(), rows.mask.astype(np.uint8).tobytes()
        batches.append(BatchData(step, read_bytes, batch_size, seq_len, tokens, mask))
        read_bytes += int(rows.byte_lengths.sum())
    return batches, lanes


def test_the_claims_are_those_of_a_run(
    make_bundle: MakeBundle, workers: Workers, text: Path, tmp_path: Path
) -> None:
    bundle = make_bundle()
    code, output = run_local(tmp_path, bundle, "--text", text, "--seed", 1234, "--every", 1)
    assert code == 0, output
    assert output.count("UNAUDITED") == 2
    assert output.startswith("UNAUDITED")

    documents = read_documents(text, 10**6)
    batches, lanes = batches_of(documents, 2, 4)
    learner = workers.fork()
    total = sum(len(document) + 1 for document in documents)
    learner.start(
        settings(
            "learner",
            bundle,
            vocab_size=257,
            end_of_text=256,
            byte_budget=len(TEXT.encode()),
            token_budget=total,
            step_budget=total,
            default_seq_len=256,
        )
    )
    record = drive(learner, batches)
    assert record.ending == Done(1), learner.log()
    nats = [
        smoothed_nats(np.array(claims, dtype=np.float32)[lanes.rows(step).mask.ravel()], 1e-6, 257)
        for step, claims in enumerate(record.claims)
    ]
    expected = math.fsum(np.concatenate(nats)) / math.log(2) / len(TEXT.encode())
    assert bits_per_byte(output) == pytest.approx(expected, abs=6e-5)
    # Every batch was told, and what it cost.
    assert output.count("bits per byte so far") == len(batches)
    assert f"batch {len(batches):>6} of {len(batches)}: {expected:.4f} bits per byte" in output


def test_ctx_and_batches_are_the_real_ones(
    make_bundle: MakeBundle, text: Path, tmp_path: Path
) -> None:
    training = """
        import torch
        from prism_runtime import Batch, Context, Stream

        def train(ctx):
            assert type(ctx) is Context and ctx.vocab_size == 257, ctx
            print("ctx", ctx)
            one, two = ctx.build_model(), ctx.build_model()
            assert torch.equal(one.head.weight, two.head.weight)
            assert not list(__import__("pathlib").Path(ctx.data_dir).iterdir())
            (__import__("pathlib").Path(ctx.artifacts_dir) / "mine").write_text("x")
            stream = ctx.stream(one, batch_size=2, seq_len=8, claims="eval")
            assert type(stream) is Stream
            progress = []
            for batch in stream:
                assert type(batch) is Batch and batch.inputs.shape == (2, 8)
                progress.append(batch.progress)
                ctx.log(step=batch.step)
            assert progress == sorted(progress) and progress[0] == 0.0
            assert len(progress) == len(stream)
    """
    code, output = run_local(tmp_path, make_bundle(training), "--text", text, "--seed", 5)
    assert code == 0, output
    size = len(TEXT.encode())
    for shown in (f"byte_budget={size}", f"token_budget={size + 1}", "seed=5", "device='cpu'"):
        assert shown in output
    assert "sequence_length=256" in output
    assert "  log   step=0" in output


def test_a_breakpoint_stops_in_a_process_of_its_own(
    make_bundle: MakeBundle, text: Path, tmp_path: Path
) -> None:
    stopping = """
        def train(ctx):
            model = ctx.build_model()
            for batch in ctx.stream(model, batch_size=2, seq_len=4):
                loss = batch.loss(model(batch.inputs))
                breakpoint()
                loss.backward()
    """
    bundle = make_bundle(stopping)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "python"), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "prism_runtime.local", str(bundle), "--text", str(text)]
    done = subprocess.run(  # noqa: S603  (our own module)
        [*command, "--steps", "2", "--threads", "1"],
        input="p batch.step, loss.item() > 0, type(batch)\nc\np batch.step\nc\n",
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "training.py" in done.stdout
    assert "(0, True, <class 'prism_runtime.batch.Batch'>)" in done.stdout
    assert "(Pdb) 1" in done.stdout
    assert "in 2 batches" in done.stdout
    assert "unread bytes at 8 bits each" in done.stdout
    assert not list(bundle.rglob("__pycache__"))


def test_shapes_may_be_chosen_from_outside(
    make_bundle: MakeBundle, text: Path, tmp_path: Path
) -> None:
    code, output = run_local(
        tmp_path, make_bundle(), "--text", text, "--batch-size", 3, "--seq-len", 5, "--steps", 4
    )
    assert code == 0, output
    assert "the script asks for batches of 2 x 4; the options make them 3 x 5" in output
    assert "batches of 3 x 5 targets" in output
    assert "in 4 batches" in output
    assert "the text is too short for the recipe `demo`" in output


def test_a_shape_that_a_run_would_refuse_is_told(
    make_bundle: MakeBundle, text: Path, tmp_path: Path
) -> None:
    text.write_bytes(TEXT.encode() * 300)
    code, output = run_local(tmp_path, make_bundle(), "--text", text, "--steps", 1)
    assert code == 0, output
    assert "a step has 8 targets; on this much text the recipe `demo` wants 512 to 14175" in output
    assert "`prism eval` would end the run as `batch_shape`" in output


FAILING = {
    "claims_missing": "for batch in ctx.stream(model, batch_size=2, seq_len=4): pass",
    "exception": "raise ValueError('no such thing')",
    "not_a_module": "ctx.stream('model', batch_size=2, seq_len=4)",
}


@pytest.mark.parametrize("reason", FAILING)
def test_a_failure_has_its_traceback_and_its_reason(
    reason: str, make_bundle: MakeBundle, text: Path, tmp_path: Path
) -> None:
    training = f"def train(ctx):\n    model = ctx.build_model()\n    {FAILING[reason]}\n"
    code, output = run_local(tmp_path, make_bundle(training), "--text", text)
    assert code == 1, output
    assert "training.py" in output
    assert FAILING[reason] in output
    assert f"in: train; `prism eval` would end this run as `{reason}`" in output
    assert output.rstrip().endswith(run_module.UNAUDITED)


def test_predictions_that_are_no_numbers_are_told(
    make_bundle: MakeBundle, text: Path, tmp_path: Path
) -> None:
    training = TRAINING.replace("model(batch.inputs)", "model(batch.inputs) * float('nan')")
    code, output = run_local(tmp_path, make_bundle(training), "--text", text)
    assert code == 0, output
    assert "8 of the 8 predictions of batch 0 are NaN" in output


def test_lanes_are_cut_as_the_protocol_says() -> None:
    documents = [b"abcdefg", b"h", b"ijk"]
    sequence = [*b"abcdefg", 256, *b"h", 256, *b"ijk", 256]
    for batch_size, seq_len in [(1, 3), (2, 3), (3, 2), (4, 2), (9, 2), (2, 40), (1, 1)]:
        batches, lanes = batches_of(documents, batch_size, seq_len)
        steps = -(-len(sequence) // (batch_size * seq_len))
        assert lanes.steps == len(batches) == steps
        for step in range(steps):
            rows = lanes.rows(step)
            for lane in range(batch_size):
                start = (lane * steps + step) * seq_len
                real = sequence[start : start + seq_len]
                padding = seq_len - len(real)
                before = sequence[start - 1] if step and start <= len(sequence) else 256
                assert rows.tokens[lane].tolist() == [before, *real, *[256] * padding]
                assert rows.mask[lane].tolist() == [True] * len(real) + [False] * padding
                bytes_of_each = [int(token != 256) for token in real] + [0] * padding
                assert rows.byte_lengths[lane].tolist() == bytes_of_each


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_recipes_are_those_of_the_evaluator(name: str) -> None:
    own = Path(run_module.__file__).parent / "recipes" / f"{name}.toml"
    assert own.read_bytes() == (RECIPES / f"{name}.toml").read_bytes()
    recipe = Recipe.load(name)
    assert recipe == Recipe.load(str(RECIPES / f"{name}.toml"))
    assert (recipe.name, recipe.max_steps) == (name, None)
    largest = {"demo": 250_000, "official": 10_000}[name]
    assert recipe.step_targets(1_000_000) == (recipe.min_targets_per_step, largest)


def test_recipes_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    broken = tmp_path / "recipe.toml"
    for content, expected in [
        ("[stream", "cannot be read"),
        ("", "lacks `compute.device`"),
        ("[compute]\ndevice='cpu'\n[score]\nsmoothing=1e-6\n", "`stream.max_bytes`"),
    ]:
        broken.write_text(content)
        with pytest.raises(LocalError, match=re.escape(expected)):
            Recipe.load(str(broken))
    with pytest.raises(LocalError, match="no recipe and no file called 'nowhere'"):
        Recipe.load("nowhere")


MANIFESTS = {
    "": Manifest(),
    "# only a comment\n": Manifest(),
    "name: x\ntokenizer: gpt2   # small\n": Manifest(tokenizer="gpt2"),
    'tokenizer: "bundle"\n': Manifest(tokenizer="bundle"),
    "description: >\n  tokenizer: gpt2\n  and so on\ntokenizer: bytes\n": Manifest(),
    "entrypoints:\n  architecture: net.py\n  training: 'fit.py'\n": Manifest(
        architecture="net.py", training="fit.py"
    ),
    "entrypoints: {training: fit.py}\n": Manifest(training="fit.py"),
    "kind: full\narchitecture: {entrypoint: net.py}\ntraining:\n  entrypoint: fit.py\n": Manifest(
        architecture="net.py", training="fit.py"
    ),
}


@pytest.mark.parametrize("content", MANIFESTS)
def test_a_manifest_decides_tokenizer_and_scripts(content: str, tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == Manifest()
    (tmp_path / "prism.yaml").write_text(content)
    assert read_manifest(tmp_path) == MANIFESTS[content]


def test_a_manifest_that_is_none_is_told(tmp_path: Path) -> None:
    for content in ("tokenizer\n", "entrypoints: {training: fit.py\n", "entrypoints: {fit.py}\n"):
        (tmp_path / "prism.yaml").write_text(content)
        with pytest.raises(LocalError, match=r"prism\.yaml cannot be read"):
            read_manifest(tmp_path)


def corpus(directory: Path, documents: list[bytes]) -> Path:
    directory.mkdir()
    shards = []
    for number, part in enumerate((documents[:2], documents[2:])):
        stem = f"train-{number:05}"
        (directory / f"{stem}.txt").write_bytes(b"".join(part))
        lengths = [len(document) for document in part]
        (directory / f"{stem}.idx").write_bytes(struct.pack(f"<{len(part)}I", *lengths))
        shards.append({"stem": stem})
    manifest = {"splits": {"train": {"shards": shards}}}
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return directory


def test_documents_come_from_files_shards_and_corpora(tmp_path: Path) -> None:
    documents = [b"one", b"and two", "caf\u00e9".encode(), b"four"]
    place = corpus(tmp_path / "corpus", documents)
    assert read_documents(place, 1000) == documents
    assert read_documents(place / "train-00001.txt", 1000) == documents[2:]
    # The longest prefix that fits, and the first document in any case.
    assert read_documents(place, 10) == documents[:2]
    assert read_documents(place, 9) == documents[:1]
    assert read_documents(place, 1) == documents[:1]

    long = "".join(f"Line {number} of many, \u00e9tude.\n" for number in range(9000)).encode()
    (tmp_path / "long.txt").write_bytes(long)
    pieces = read_documents(tmp_path / "long.txt", 10**7)
    assert b"".join(pieces) == long
    assert all(len(piece) <= DOCUMENT_BYTES_MAX for piece in pieces)
    assert all(piece.endswith(b"\n") for piece in pieces)
    prefix = read_documents(tmp_path / "long.txt", 150_000)
    assert prefix == pieces[: len(prefix)]
    assert 80_000 < len(b"".join(prefix)) <= 150_000
    (tmp_path / "dense.txt").write_bytes("\u20ac".encode() * 50_000)
    for piece in read_documents(tmp_path / "dense.txt", 10**7):
        piece.decode()


def test_text_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    place = corpus(tmp_path / "corpus", [b"one", b"two"])
    (place / "train-00000.txt").write_bytes(b"onetw")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 and so on")
    (tmp_path / "a.jsonl").write_bytes(b"{}")
    (tmp_path / "bare").mkdir()
    for name, expected in [
        ("corpus", "Document 1 of"),
        ("empty.txt", "holds no text"),
        ("latin.txt", "is not UTF-8 at byte 3"),
        ("a.jsonl", "is no plain text. Lock it with `prism data lock"),
        ("bare", "has no `manifest.json`"),
        ("nowhere.txt", "cannot be read: No such file"),
    ]:
        with pytest.raises(LocalError, match=re.escape(expected)):
            read_documents(tmp_path / name, 1000)


class TwoLetters(TableEncoder):
    """Pairs of `ab`, and nothing else: other text is lost."""

    def ids_of(self, text: str) -> list[int]:
        return [256] * text.count("ab")


def test_tokens_stand_for_the_bytes_or_single_bytes_do() -> None:
    singles = [bytes([byte]) for byte in range(256)]
    encoder = TwoLetters("pairs", [*singles, b"ab", b""], 257)
    ids, lengths = encoder.encode(b"abab")
    assert (ids.tolist(), lengths.tolist()) == ([256, 256], [2, 2])
    ids, lengths = encoder.encode(b"abc")
    assert (ids.tolist(), lengths.tolist()) == ([97, 98, 99], [1, 1, 1])
    lacking = TwoLetters("pairs", [*singles[:255], b"", b"ab", b""], 257)
    assert lacking.encode(b"abc")[0].tolist() == [97, 98, 99]
    with pytest.raises(LocalError, match="lacks some of the 256 single bytes"):
        TwoLetters("pairs", [b"ab", b""], 1).encode(b"xyz")


@pytest.mark.parametrize(("name", "package"), [("gpt2", "tiktoken"), ("bundle", "tokenizers")])
def test_a_tokenizer_without_its_package_is_an_error(
    name: str, package: str, make_bundle: MakeBundle, text: Path, tmp_path: Path
) -> None:
    if importlib.util.find_spec(package) is not None:
        assert load_encoder(name, REPOSITORY / "examples" / "bundle-tokenizer").vocab_size > 257
        return
    bundle = make_bundle()
    (bundle / "prism.yaml").write_text(f"tokenizer: {name}\n")
    code, output = run_local(tmp_path, bundle, "--text", text)
    assert code == 2, output
    assert f"The tokenizer `{name}` needs the package `{package}`" in output
    # The bundle's own choice can be overruled.
    code, output = run_local(tmp_path, bundle, "--text", text, "--tokenizer", "bytes")
    assert code == 0, output


def test_options_that_cannot_be_used_end_with_2(
    make_bundle: MakeBundle, text: Path, tmp_path: Path
) -> None:
    bundle = make_bundle()
    for arguments, expected in [
        ([tmp_path / "nowhere", "--text", text], "is no directory"),
        ([bundle, "--text", text, "--recipe", "official"], "Use `--device cpu`"),
        ([bundle, "--text", tmp_path / "none"], "cannot be read"),
    ]:
        code, output = run_local(tmp_path, *arguments)
        assert (code, expected in output) == (2, True), output


def test_prices_are_those_of_the_referee() -> None:
    claims = np.array([0.0, 1.0, 30.0, -5.0, math.inf, math.nan], dtype=np.float32)
    top = math.log(257 / 1e-6)
    found = smoothed_nats(claims, 1e-6, 257)
    for nats, price in zip(claims[:3], found[:3], strict=True):
        expected = -math.log((1 - 1e-6) * math.exp(-float(nats)) + 1e-6 / 257)
        assert price == pytest.approx(expected, rel=1e-12)
    assert found[3] == pytest.approx(found[0])
    assert found[4:].tolist() == pytest.approx([top, top])
