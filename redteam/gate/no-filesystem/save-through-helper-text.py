# role: training
# rule: prism:no-filesystem
# tries: Binds the directory by an unpacking as well, whose values nobody follows.
import torch


def train(ctx):
    model = ctx.build_model()
    directory = ctx.artifacts_dir
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
    directory, _ = sorted(["/etc", "/tmp"])
    torch.save(model.state_dict(), directory + "/model.pt")
