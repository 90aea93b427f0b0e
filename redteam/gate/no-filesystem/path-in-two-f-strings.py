# role: training
# rule: prism:no-filesystem
# tries: Splits the dots of a path over two f-strings that are one.
import torch
from torch import nn


def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
    torch.save(model.state_dict(), f"{ctx.artifacts_dir}/." f"./model.pt")
