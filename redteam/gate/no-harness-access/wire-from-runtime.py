# role: training
# rule: prism:no-harness-access
# tries: Imports the wire format of the harness next to a name that is allowed.
import torch
from prism_runtime import Context, wire


def train(ctx: Context):
    print(wire)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
