# role: training
# rule: prism:no-process
# tries: Hides the builtin quit in the default of a lambda's parameter.
import torch

stop_when = lambda step, end=quit: end() if step > 50 else None


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        stop_when(batch.step)
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
