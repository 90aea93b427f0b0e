# role: training
# rule: prism:single-node-bound
# tries: Names the twelfth GPU of the machine.
import torch


def train(ctx):
    device = torch.device("cuda", 11) if ctx.device == "cuda" else torch.device("cpu")
    model = ctx.build_model().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
