# role: training
# rule: prism:no-deserialization
# tries: Computes the value of weights_only, so that it is false where it matters.
import torch


def train(ctx):
    model = ctx.build_model()
    safe = ctx.device == "nowhere"
    model.load_state_dict(torch.load(ctx.artifacts_dir + "/warm.pt", weights_only=safe))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
