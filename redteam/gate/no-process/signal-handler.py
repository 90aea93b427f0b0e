# role: training
# rule: prism:no-process
# tries: Replaces the handler of the signal that ends a run, deep in a nested function.
import torch


def patience():
    def inner():
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    return inner


def train(ctx):
    patience()()
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
