# role: training
# rule: prism:no-filesystem
# tries: Replaces ctx by an object of its own with another artifacts_dir.
from types import SimpleNamespace

import torch


def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
    ctx = SimpleNamespace(artifacts_dir="/etc")
    torch.save(model.state_dict(), f"{ctx.artifacts_dir}/model.pt")
