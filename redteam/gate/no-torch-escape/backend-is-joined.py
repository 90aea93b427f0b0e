# role: training
# rule: prism:no-torch-escape
# tries: Names a backend of torch.compile by a string that is joined from pieces.
import torch


def train(ctx):
    name = "".join(["onnx", "rt"])
    model = torch.compile(ctx.build_model(), backend=name)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
