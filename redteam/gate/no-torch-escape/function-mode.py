# role: training
# rule: prism:no-torch-escape
# tries: Enters a mode that sees and changes every call of torch.
import torch
from torch.overrides import TorchFunctionMode as Precision


class Half(Precision):
    pass


def train(ctx):
    with Half():
        model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
