"""Truncation of nothing, clipping by adaptive norm (AGC), Adam."""

import torch


def unitwise_norm(x):
    dim = None if x.ndim <= 1 else tuple(range(1, x.ndim))
    return x.norm(2) if dim is None else torch.linalg.vector_norm(x, dim=dim, keepdim=True)


def adaptive_clip_grad(parameters, clip_factor=0.05, eps=1e-3):
    for p in parameters:
        if p.grad is None:
            continue
        max_norm = unitwise_norm(p.detach()).clamp_(min=eps).mul_(clip_factor)
        grad_norm = unitwise_norm(p.grad.detach())
        clipped = p.grad * (max_norm / grad_norm.clamp(min=1e-6))
        p.grad.copy_(torch.where(grad_norm < max_norm, p.grad, clipped))


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.95))
    for batch in ctx.stream(model, batch_size=8, seq_len=40):
        opt.zero_grad()
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        adaptive_clip_grad(model.parameters())
        opt.step()
