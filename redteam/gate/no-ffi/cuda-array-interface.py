# role: training
# rule: prism:no-ffi | prism:no-attribute-escape
# tries: Gives torch a property that describes any address of the GPU as a tensor.
import torch


class Window:
    @property
    def __cuda_array_interface__(self):
        return {"shape": (64,), "typestr": "<f4", "data": (4096, False), "version": 2}


def train(ctx):
    model = ctx.build_model()
    if ctx.device == "cuda":
        torch.as_tensor(Window(), device="cuda")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
