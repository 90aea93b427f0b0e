# role: training
# rule: prism:no-filesystem | prism:no-forbidden-import
# tries: Writes a file through the configuration of logging.
import logging

import torch

logging.basicConfig(filename="/tmp/train.log", filemode="w", level=logging.INFO)


def train(ctx):
    model = ctx.build_model()
    logging.info("seed %d", ctx.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
