# role: training
# rule: prism:no-filesystem | prism:no-deserialization
# tries: Gives torch.save a pickle module of its own by its place.
import torch


class Pickle:
    pass


def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
    torch.save(model.state_dict(), f"{ctx.artifacts_dir}/model.pt", Pickle)
