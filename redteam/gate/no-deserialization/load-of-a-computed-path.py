# role: training
# rule: prism:no-deserialization
# tries: Loads tensors from a path that is computed, with weights_only as it should be.
import torch


def train(ctx):
    model = ctx.build_model()
    place = "/".join(("", "opt", "weights.pt"))
    model.load_state_dict(torch.load(place, weights_only=True))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
