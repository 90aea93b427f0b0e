# role: training
# rule: prism:no-harness-access
# tries: Assigns the targets of a batch by a loop target inside of a tuple.
import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        for (batch.targets, batch.mask) in [(batch.inputs, batch.mask)]:
            pass
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
