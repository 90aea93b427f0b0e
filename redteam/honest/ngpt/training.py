"""Adam without decay; the matrices are put back on the sphere after each step."""

import torch
from torch.nn.utils.parametrize import cached, is_parametrized


@torch.no_grad()
def project(model):
    for module in model.modules():
        if is_parametrized(module, "weight"):
            original = module.parametrizations.weight.original
            original.copy_(module.weight)


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.Adam(model.parameters(), lr=5e-3, betas=(0.9, 0.95))
    stream = ctx.stream(model, batch_size=8, seq_len=64)
    for batch in stream:
        for group in opt.param_groups:
            group["lr"] = 5e-3 * (1 - 0.95 * batch.step / len(stream))
        with cached():
            loss = batch.loss(model(batch.inputs))
            opt.zero_grad()
            loss.backward()
        opt.step()
        project(model)
