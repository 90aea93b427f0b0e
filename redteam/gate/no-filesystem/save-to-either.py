# role: training
# rule: prism:no-filesystem
# tries: Offers ctx.artifacts_dir only as the second half of an or that never gets there.
import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    torch.save(model.state_dict(), "/tmp/model.pt" or ctx.artifacts_dir + "/model.pt")
