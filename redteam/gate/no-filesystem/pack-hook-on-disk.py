# role: training
# rule: prism:no-filesystem
# tries: Keeps the activations of autograd in a file of the machine, with hooks that save and load.
import torch
from torch.autograd.graph import saved_tensors_hooks


def pack(tensor):
    torch.save(tensor, "/tmp/activation.pt")
    return tensor.shape


def train(ctx):
    model = ctx.build_model()
    with saved_tensors_hooks(pack, torch.zeros):
        model(torch.zeros(1, 8, dtype=torch.long)).sum().backward()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
