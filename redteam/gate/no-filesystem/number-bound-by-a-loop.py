# role: training
# rule: prism:no-filesystem
# tries: Binds `int` by a loop, so that a number in the name of a file is a path.
import torch


def outside(step):
    return "../outside"


for int in iter([outside]):
    pass


def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
    torch.save(model.state_dict(), f"{ctx.artifacts_dir}/{int(3)}.pt")
