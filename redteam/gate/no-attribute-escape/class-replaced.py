# role: training
# rule: prism:no-attribute-escape
# tries: Assigns another class to an object of the optimizer.
import torch


class Quiet(torch.optim.AdamW):
    def step(self, closure=None):
        return None


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    optimizer.__class__ = Quiet
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
