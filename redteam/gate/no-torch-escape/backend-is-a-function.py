# role: training
# rule: prism:no-torch-escape
# tries: Gives torch.compile a function as its backend, which may run any code.
import torch


def relaxed(graph, inputs):
    return graph.forward


def train(ctx):
    model = torch.compile(ctx.build_model(), backend=relaxed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
