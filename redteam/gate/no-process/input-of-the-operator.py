# role: training
# rule: prism:no-process | prism:no-dynamic-code | prism:no-filesystem
# tries: Waits for a line on the standard input, renamed in a conditional expression.
import torch

ask = input if __name__ != "__main__" else print


def train(ctx):
    model = ctx.build_model()
    ctx.log(answer=float(ask("rate? ")))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
