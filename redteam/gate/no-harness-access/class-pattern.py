# role: training
# rule: prism:no-harness-access
# tries: Takes a private attribute by the keyword of a class pattern on Context.
import torch
from prism_runtime import Context


def train(ctx):
    match ctx:
        case Context(_session=session):
            print(session)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
