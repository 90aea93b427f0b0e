# role: training
# rule: prism:no-deserialization
# tries: Loads a file of the artifacts with the pickle loader.
import torch


def train(ctx):
    model = ctx.build_model()
    torch.save(model.state_dict(), ctx.artifacts_dir + "/warm.pt")
    model.load_state_dict(torch.load(ctx.artifacts_dir + "/warm.pt", weights_only=False))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
