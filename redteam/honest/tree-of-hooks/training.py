"""Backward hooks, gradient hooks, saved tensors on the CPU, and a tap on two modules in the first step."""

import torch
from architecture import Tap
from torch.autograd.graph import save_on_cpu


class GradientStats:
    def __init__(self, model):
        self.norms = {}
        for index, block in enumerate(model.blocks):
            block.register_full_backward_hook(self.record(index))
        for parameter in model.head.parameters():
            parameter.register_hook(lambda g: torch.nan_to_num(g, nan=0.0, posinf=0.0, neginf=0.0))

    def record(self, index):
        def hook(module, grad_input, grad_output):
            self.norms[f"block_{index}"] = grad_output[0].norm().item()

        return hook


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    stats, tap = GradientStats(model), Tap().attach(model, {"blocks.0.o", "head"})
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        with save_on_cpu(pin_memory=ctx.device == "cuda"):
            loss = batch.loss(model(batch.inputs))
        opt.zero_grad()
        loss.backward()
        opt.step()
        if batch.step == 0:
            spread = {
                name.replace(".", "_"): value.std().item() for name, value in tap.values.items()
            }
            ctx.log(loss=loss.item(), **spread, **stats.norms)
            tap.detach()
