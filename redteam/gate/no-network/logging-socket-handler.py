# role: training
# rule: prism:no-network | prism:no-filesystem | prism:no-forbidden-import
# tries: Sends its log records over a socket with a handler of logging.
import logging
import logging.handlers

import torch

log = logging.getLogger("train")
log.addHandler(logging.handlers.SocketHandler("127.0.0.1", 9020))


def train(ctx):
    model = ctx.build_model()
    log.warning("seed %d", ctx.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
