"""Cross-entropy plus the router's auxiliary loss."""

import logging

import torch

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

AUX_WEIGHT = 0.01


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    optim = torch.optim.AdamW(model.parameters(), lr=2e-3, amsgrad=True)
    stream = ctx.stream(model, batch_size=8, seq_len=64)
    logger.info("training for %d steps on %s", len(stream), ctx.device)
    for step, batch in enumerate(stream):
        logits, aux = model(batch.inputs)
        loss = batch.loss(logits)
        (loss + AUX_WEIGHT * aux).backward()
        optim.step()
        optim.zero_grad()
        if step % 25 == 0:
            ctx.log(ce=loss.item(), aux=aux.item())
            logger.debug("step %d: %.4f", step, loss.item())
