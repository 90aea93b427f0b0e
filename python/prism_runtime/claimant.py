"""The claimant: scores held-out rows densely, and is killed before anyone audits them.

Called by `worker`. Its numbers are claims like the learner's: cheap to make, later corrected.
"""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from .auditor import answer
from .channel import Channel
from .config import WorkerConfig
from .failures import Phase
from .forward import check_logits, to_f32_bytes, token_nats, tokens_from
from .limits import CLAIMANT_LOGITS_MAX_BYTES
from .messages import Load, Question, Score, Scores
from .predictor import Predictor, prepare, unexpected

_F32_BYTES: Final = 4


def run_claimant(channel: Channel, config: WorkerConfig, enter: Callable[[Phase], None]) -> None:
    """Score until the referee closes the socket."""
    predictor, _ = prepare(channel, config, enter)
    with torch.no_grad():
        while True:
            message = channel.receive()
            if isinstance(message, Score):
                channel.send(_scores(message, predictor, config))
            elif isinstance(message, Question):
                # Before a run alone: whether a prediction depends on what an auditor does not see.
                channel.send(answer(message, predictor, config))
            elif isinstance(message, Load):
                channel.send(predictor.load(message))
            else:
                raise unexpected(message)


def _scores(score: Score, predictor: Predictor, config: WorkerConfig) -> Scores:
    """Return the nats of every target, a bounded number of rows at a time."""
    rows, columns = score.batch_size, score.seq_len
    tokens = tokens_from(memoryview(score.tokens), (rows, columns + 1), config.device)
    row_bytes = columns * config.vocab_size * _F32_BYTES
    at_once = max(1, CLAIMANT_LOGITS_MAX_BYTES // max(1, row_bytes))
    parts = [_nats(part, predictor, config) for part in torch.split(tokens, at_once)]
    nats = torch.cat(parts)
    return Scores(score.id, nats.numel(), to_f32_bytes(nats))


def _nats(tokens: Tensor, predictor: Predictor, config: WorkerConfig) -> Tensor:
    inputs = tokens[:, :-1].contiguous()
    targets = tokens[:, 1:]
    logits = predictor.logits(inputs)
    check_logits(logits, targets, config.vocab_size)
    return token_nats(logits, targets)
