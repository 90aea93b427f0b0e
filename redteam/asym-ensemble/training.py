"""The honest loop, which keeps its weights of every eighth step; it claims what the newest predict."""

import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.body.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if batch.step % 4 == 0:
            older = model.others[batch.step // 4 % len(model.others)]
            older.load_state_dict(model.body.state_dict())
        model.filled.fill_(batch.step)
