# role: training
# rule: prism:no-monkeypatch
# tries: Keeps the type of an object in a variable and assigns to it there.
import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    kind = type(optimizer)
    kind.step = lambda self, closure=None: None
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
