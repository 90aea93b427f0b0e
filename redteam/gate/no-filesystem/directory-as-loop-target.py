# role: training
# rule: prism:no-filesystem
# tries: Binds the name of the directory as the target of a loop as well.
import torch


def train(ctx):
    model = ctx.build_model()
    directory = ctx.artifacts_dir
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
    for directory in "/etc", "/tmp":
        torch.save(model.state_dict(), f"{directory}/model.pt")
