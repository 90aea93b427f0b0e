# role: training
# rule: prism:no-filesystem
# tries: Starts the path with ctx.artifacts_dir and leaves it again with dots.
import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    torch.save(model.state_dict(), ctx.artifacts_dir + "/../../tmp/model.pt")
