# role: training
# rule: prism:no-filesystem
# tries: Keeps the directory in a variable of the module, which another module can change.
import torch

directory = None


def train(ctx):
    global directory
    directory = ctx.artifacts_dir
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
    torch.save(model.state_dict(), f"{directory}/model.pt")
