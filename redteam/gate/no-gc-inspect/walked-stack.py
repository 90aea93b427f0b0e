# role: training
# rule: prism:no-gc-inspect
# tries: Walks the stack with the traceback module, imported in an except clause.
import torch


def train(ctx):
    model = ctx.build_model()
    try:
        model.missing()
    except AttributeError:
        import traceback as report

        print(list(report.walk_stack(None)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
