"""Adam; the forward pass is compiled on a GPU, the optimizer step is compiled too."""

import torch


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.Adam(model.parameters(), lr=2e-3, foreach=True)
    on_gpu = ctx.device == "cuda"

    forward = torch.compile(model, dynamic=True) if on_gpu else model

    @torch.compile(fullgraph=False, backend="inductor", disable=not on_gpu)
    def opt_step():
        opt.step()

    for batch in ctx.stream(model, batch_size=4, seq_len=64):
        loss = batch.loss(forward(batch.inputs))
        loss.backward()
        opt_step()
        opt.zero_grad()
