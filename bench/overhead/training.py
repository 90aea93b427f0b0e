"""The measured loop of the overhead benchmark; `bare.py` has the same without PRISM."""

import torch
from settings import BATCH_SIZE, CLAIMS, SEQ_LEN


def train(ctx):
    """One update a batch."""
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=BATCH_SIZE, seq_len=SEQ_LEN, claims=CLAIMS):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
