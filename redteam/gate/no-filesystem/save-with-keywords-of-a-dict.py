# role: training
# rule: prism:no-filesystem
# tries: Hands torch.save further arguments in a dictionary.
import torch


def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
    more = {"pickle" + "_module": model}
    torch.save(model.state_dict(), f"{ctx.artifacts_dir}/model.pt", **more)
