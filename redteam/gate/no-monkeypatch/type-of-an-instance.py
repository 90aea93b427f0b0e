# role: training
# rule: prism:no-monkeypatch | prism:no-attribute-escape | prism:no-dynamic-attr
# tries: Reaches the class of torch as the type of its instance.
import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    type(optimizer).step = lambda self, closure=None: None
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
