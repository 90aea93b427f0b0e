# role: training
# rule: prism:no-filesystem
# tries: Binds the name of the directory a second time, to a text.
import torch


def train(ctx):
    model = ctx.build_model()
    directory = ctx.artifacts_dir
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
        directory = "/etc"
    torch.save(model.state_dict(), f"{directory}/model.pt")
