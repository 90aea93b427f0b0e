# role: training
# rule: prism:no-harness-access
# tries: Imports the package as a whole and reaches a submodule by attribute.
import prism_runtime
import torch


def train(ctx):
    print(prism_runtime.channel)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
