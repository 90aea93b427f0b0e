"""The auditor: answers one question at a time with the logits at one position.

Called by `worker`. It sees snapshots and rows whose target is absent. It sends nothing that it
was not asked for.
"""

from collections.abc import Callable

import torch

from .channel import Channel
from .config import WorkerConfig
from .errors import PrismError, ProtocolError
from .failures import Phase
from .forward import to_f32_bytes, tokens_from
from .messages import Answer, Load, Question
from .predictor import Predictor, prepare, unexpected


def run_auditor(channel: Channel, config: WorkerConfig, enter: Callable[[Phase], None]) -> None:
    """Answer until the referee closes the socket."""
    predictor, _ = prepare(channel, config, enter)
    with torch.no_grad():
        while True:
            message = channel.receive()
            if isinstance(message, Question):
                channel.send(answer(message, predictor, config))
            elif isinstance(message, Load):
                channel.send(predictor.load(message))
            else:
                raise unexpected(message)


def answer(question: Question, predictor: Predictor, config: WorkerConfig) -> Answer:
    """Run one row of T tokens and take the logits at the asked column."""
    if question.column >= question.seq_len:
        raise ProtocolError(f"column {question.column} of a row of {question.seq_len}")
    row = tokens_from(memoryview(question.row), (1, question.seq_len), config.device)
    logits = predictor.logits(row)
    if logits.dim() != 3 or tuple(logits.shape[:2]) != (1, question.seq_len):
        raise PrismError(
            "logits_shape",
            f"For inputs of shape {(1, question.seq_len)} the model returned logits of shape "
            f"{tuple(logits.shape)}. Return (B, T, vocab_size) for any B, in eval mode too.",
        )
    width = logits.shape[2]
    if width != config.vocab_size:
        return Answer(question.id, width, b"")
    return Answer(question.id, width, to_f32_bytes(logits[0, question.column]))
