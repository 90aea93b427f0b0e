"""Freezes all but the adapters for the last tenth; forward-mode differentiation measures curvature."""

import torch
from torch.autograd.functional import vjp
from torch.func import functional_call, jvp


def directional_derivative(model, inputs):
    """How fast the mean of the logits changes along the parameters themselves (a scale check)."""
    params = {n: p.detach() for n, p in model.named_parameters() if "lora" in n}

    def mean_logit(params):
        return functional_call(model, params, inputs, strict=False).mean()

    value, tangent = jvp(mean_logit, (params,), (params,))
    _, back = vjp(lambda t: t * value, torch.ones(()))
    return tangent.item() + 0.0 * back.item()


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
    stream = ctx.stream(model, batch_size=8, seq_len=48)
    freeze_at = int(len(stream) * 0.9)
    for step, batch in enumerate(stream):
        if step == freeze_at:
            for name, p in model.named_parameters():
                p.requires_grad = "lora" in name or "to_s" in name
        loss = batch.loss(model(batch.inputs))
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        if step % 200 == 0:
            ctx.log(loss=loss.item(), slope=directional_derivative(model, batch.inputs[:2]))
