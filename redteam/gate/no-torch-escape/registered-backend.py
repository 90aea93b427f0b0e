# role: training
# rule: prism:no-torch-escape
# tries: Registers a backend of its own with the private compiler and asks for it by name.
import torch
from torch._dynamo import register_backend


@register_backend(name="inductor2")
def fast(graph, inputs):
    return graph.forward


def train(ctx):
    model = torch.compile(ctx.build_model(), backend="inductor2")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
