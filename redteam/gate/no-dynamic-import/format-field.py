# role: training
# rule: prism:no-dynamic-import
# tries: Puts the call of __import__ into the format spec of a nested f-string field.
import torch


def train(ctx):
    model = ctx.build_model()
    print(f"step {ctx.seed:>{__import__('os').getpid() % 9 + 1}}")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
