# role: training
# rule: prism:no-deserialization
# tries: Passes the keywords of torch.load as an unpacked dict, behind a renamed function.
import torch

restore = torch.load
OPTIONS = {"map_location": "cpu", "weights_only": False}


def train(ctx):
    model = ctx.build_model()
    model.load_state_dict(restore(ctx.artifacts_dir + "/warm.pt", **OPTIONS))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
