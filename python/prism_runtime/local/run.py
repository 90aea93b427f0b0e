"""An open run from the command line to its last line.

Called by `__main__`. It puts the runtime's own parts together as `worker` does in a sandbox, with a
referee in this process; it never audits, never confines, and says so.
"""

import bdb
import contextlib
import os
import pdb  # noqa: T100  (started where a script fails, if asked for)
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch

from ..config import WorkerConfig
from ..determinism import configure
from ..errors import PrismError
from ..failures import Phase, phase_of, reason_of
from ..learner import run_learner
from ..limits import PROTOCOL_VERSION
from .errors import LocalError
from .lanes import Targets
from .manifest import Manifest, read_manifest
from .options import Options, parse
from .recipe import Recipe
from .referee import OpenReferee, Result
from .session import OpenSession
from .text import read_documents
from .tokens import Encoder, load_encoder

_EXIT_OK: Final = 0
_EXIT_FAILED: Final = 1
_EXIT_USAGE: Final = 2

UNAUDITED: Final = (
    "UNAUDITED: an open run, without referee and sandbox. It believes what the scripts claim and "
    "counts for nothing; `prism eval` measures."
)

# Segments are whole pages, and a page larger than a snapshot may be.
_PAGE_BYTES: Final = 4096


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a bundle in the open; return the exit code."""
    options = parse(arguments)
    show(UNAUDITED)
    try:
        with tempfile.TemporaryDirectory(prefix="prism-local-") as scratch:
            return _Run(options, Path(scratch)).run()
    except LocalError as error:
        sys.stderr.write(f"error: {error}\n")
        return _EXIT_USAGE


def show(line: str) -> None:
    """Print one line at once, also into a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class _Run:
    """One open run, prepared."""

    def __init__(self, options: Options, scratch: Path) -> None:
        self._options = options
        self._bundle = options.bundle.resolve()
        if not self._bundle.is_dir():
            raise LocalError(
                f"{options.bundle} is no directory. Name the one with the two scripts."
            )
        manifest = read_manifest(self._bundle)
        self._recipe = _recipe(options)
        encoder = load_encoder(options.tokenizer or manifest.tokenizer, self._bundle)
        if encoder.vocab_size > self._recipe.max_vocab_size:
            raise LocalError(
                f"The vocabulary has {encoder.vocab_size} tokens, at most "
                f"{self._recipe.max_vocab_size} are allowed. Use a smaller one."
            )
        documents = read_documents(options.text, self._recipe.max_bytes)
        self._targets = Targets.of(documents, encoder)
        self._config = self._configuration(manifest, encoder, scratch)

    def run(self) -> int:
        """Train to the end of the text, and say what it cost."""
        config, options = self._config, self._options
        self._introduce()
        # A bundle may not be the same the next time, and holds nothing that it did not come with.
        sys.dont_write_bytecode = True
        configure(config, lambda text: show(f"  note  {text}"))
        referee = OpenReferee(config, self._recipe, self._targets, show, every=options.every)
        phase = Phase.IMPORT_ARCHITECTURE

        def enter(following: Phase) -> None:
            nonlocal phase
            phase = following

        started = time.monotonic()
        with _segment(config.segment_bytes) as segment:
            session = OpenSession(
                referee,
                config,
                segment,
                show,
                batch_size=options.batch_size,
                seq_len=options.seq_len,
            )
            try:
                run_learner(referee, config, enter, session)
            except (KeyboardInterrupt, bdb.BdbQuit):
                show("stopped")
                code = _EXIT_FAILED
            except BaseException as error:
                self._explain(error, phase)
                code = _EXIT_FAILED
            else:
                code = _EXIT_OK
        self._conclude(referee.result, time.monotonic() - started)
        return code

    def _configuration(self, manifest: Manifest, encoder: Encoder, scratch: Path) -> WorkerConfig:
        options, recipe = self._options, self._recipe
        total = len(self._targets.ids)
        data_dir, artifacts_dir = scratch / "data", scratch / "artifacts"
        data_dir.mkdir()
        artifacts_dir.mkdir()
        pages = -(-recipe.max_snapshot_bytes // _PAGE_BYTES) + 1
        return WorkerConfig.from_json(
            {
                "protocol": PROTOCOL_VERSION,
                "role": "learner",
                "bundle_dir": str(self._bundle),
                "architecture_file": manifest.architecture,
                "training_file": manifest.training,
                "artifacts_dir": str(artifacts_dir),
                "data_dir": str(data_dir),
                "segment_bytes": pages * _PAGE_BYTES,
                "seed": options.seed,
                "threads": recipe.threads,
                "device": recipe.device,
                "gpu_memory_bytes": recipe.gpu_memory_bytes,
                "matmul_precision": recipe.matmul_precision,
                "vocab_size": encoder.vocab_size,
                "end_of_text": encoder.end_of_text,
                "tokenizer": encoder.name,
                "max_seq_len": recipe.max_seq_len,
                "max_batch_size": recipe.max_batch_size,
                "default_seq_len": recipe.default_seq_len,
                "max_params": recipe.max_params,
                "token_budget": min(recipe.max_tokens or total, total),
                "step_budget": min(recipe.max_steps or total, total),
                "byte_budget": self._targets.text_bytes,
                "budget_seconds": float(recipe.time_limit_seconds),
                "world_size": 1,
                "rank": 0,
                "local_rank": 0,
            }
        )

    def _introduce(self) -> None:
        config, targets = self._config, self._targets
        show(
            f"text: {targets.text_bytes:,} bytes, {targets.documents:,} documents, "
            f"{len(targets.ids):,} targets "
            f"of the tokenizer `{config.tokenizer}` ({config.vocab_size:,} tokens)"
        )
        show(
            f"recipe `{self._recipe.name}`, seed {config.seed}, {config.device}, {config.threads} "
            f"threads, torch {torch.__version__}"
        )
        if sys.flags.hash_randomization:
            show(
                "  note  sets of strings come in another order than in a run; PYTHONHASHSEED=0 in "
                "the environment makes them come alike"
            )

    def _explain(self, error: BaseException, phase: Phase) -> None:
        """Show the whole traceback, and what a run would have made of it."""
        traceback.print_exception(error)
        sys.stderr.flush()
        where = phase_of(error, phase).name.lower().replace("_", " ")
        reason = reason_of(error)
        kind = "refused" if isinstance(error, PrismError) else "failed"
        show(f"{kind} in: {where}; `prism eval` would end this run as `{reason}`")
        if self._options.pdb and error.__traceback__ is not None:
            pdb.post_mortem(error.__traceback__)

    def _conclude(self, result: Result, seconds: float) -> None:
        show(
            f"read {result.read_bytes:,} of {result.stream_bytes:,} bytes in {result.steps:,} "
            f"batches, {seconds:.1f} s: {result.read_bpb:.4f} bits per byte"
        )
        if result.read_bytes < result.stream_bytes:
            show(f"the whole text, unread bytes at 8 bits each: {result.bpb:.4f} bits per byte")
        if seconds > self._recipe.time_limit_seconds:
            show(
                f"  note  the recipe gives {self._recipe.time_limit_seconds} s; what is unread "
                "then costs 8 bits a byte"
            )
        show(UNAUDITED)


def _recipe(options: Options) -> Recipe:
    """Return the recipe with the changes that the options make."""
    recipe = Recipe.load(options.recipe)
    if options.device is not None and options.device != recipe.device:
        # No cap: the author knows the card.
        recipe = replace(recipe, device=options.device, gpu_memory_bytes=0)
    if recipe.device == "cuda" and not torch.cuda.is_available():
        raise LocalError(
            f"The recipe `{recipe.name}` runs on CUDA, and this torch sees no such device. Use "
            "`--device cpu`."
        )
    return replace(
        recipe,
        default_seq_len=options.seq_len or recipe.default_seq_len,
        max_steps=options.steps or recipe.max_steps,
        max_bytes=options.max_bytes or recipe.max_bytes,
        threads=options.threads or recipe.threads,
    )


@contextlib.contextmanager
def _segment(size_bytes: int) -> Iterator[int]:
    """Make the memory that snapshots are copied into at every step, as in a run."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("prism-snapshot")
    else:
        descriptor, path = tempfile.mkstemp(prefix="prism-snapshot-")
        os.unlink(path)
    try:
        os.ftruncate(descriptor, size_bytes)
        yield descriptor
    finally:
        os.close(descriptor)
