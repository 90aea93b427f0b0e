# role: training
# rule: prism:no-deserialization
# tries: Writes the keyword weights_only of torch.load so that it looks twofold.
import torch


def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
    torch.load(f"{ctx.artifacts_dir}/model.pt", **{"weights_only": False})
