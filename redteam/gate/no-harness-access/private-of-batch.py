# role: training
# rule: prism:no-harness-access
# tries: Reads the true targets and the unsent claim of a batch.
import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        print(batch._claim, batch._true_targets)
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
