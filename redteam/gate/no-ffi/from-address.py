# role: training
# rule: prism:no-ffi
# tries: Overlays a C array on the memory of a tensor to write beyond its end.
from ctypes import c_float as cell

import torch


def train(ctx):
    model = ctx.build_model()
    weight = model.head.weight
    (cell * (weight.numel() + 64)).from_address(weight.data_ptr())[weight.numel()] = 0.0
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
