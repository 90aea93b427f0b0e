# role: training
# rule: prism:no-harness-access
# tries: Loses the batch in enumerate and zip before it touches a private attribute.
import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    stream = ctx.stream(model, batch_size=16, seq_len=256)
    for step, (row, scale) in enumerate(zip(stream, torch.linspace(1, 0, len(stream)))):
        row._claim = None
        row.loss(model(row.inputs)).backward()
        optimizer.step()
        optimizer.zero_grad()
