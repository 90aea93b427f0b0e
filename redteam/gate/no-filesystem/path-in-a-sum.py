# role: training
# rule: prism:no-filesystem
# tries: Splits the dots of a path over two summands.
import torch


def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
    torch.save(model.state_dict(), ctx.artifacts_dir + "/." + "./model.pt")
