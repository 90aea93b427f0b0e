# role: training
# rule: prism:no-attribute-escape
# tries: Reads attributes in the replacement field of str.format.
import torch


def train(ctx):
    model = ctx.build_model()
    print("model {0.__class__.forward.__globals__}".format(model))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
