# role: training
# rule: prism:no-dynamic-code
# tries: Binds eval by a walrus inside of a comprehension's condition.
import torch


def train(ctx):
    rates = [run(text) for text in ("1e-3", "1e-4") if (run := eval)]
    model = ctx.build_model()
    ctx.log(rate=rates[0])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
