# role: training
# rule: prism:no-dynamic-attr
# tries: Calls a method by its name with the operator module.
import operator

import torch

finish = operator.methodcaller("sys" + "tem", "id")


def train(ctx):
    model = ctx.build_model()
    print(finish)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
