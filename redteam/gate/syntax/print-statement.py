# role: training
# rule: prism:syntax
# tries: Speaks Python 2.
import torch


def train(ctx):
    model = ctx.build_model()
    print "seed", ctx.seed
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
