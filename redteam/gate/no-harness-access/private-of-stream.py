# role: training
# rule: prism:no-harness-access
# tries: Goes from the stream to the channel of the process.
import torch


def train(ctx):
    model = ctx.build_model()
    stream = ctx.stream(model, batch_size=16, seq_len=256)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    print(stream._channel)
    for batch in stream:
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
