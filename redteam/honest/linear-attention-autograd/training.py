"""A check of the hand-written gradient on tiny inputs, then Adam."""

import torch
from architecture import CausalDotProduct


def check_gradient():
    """Compare the closed form with finite differences; a wrong backward would train silently."""
    args = [torch.randn(1, 4, 3, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    assert torch.autograd.gradcheck(CausalDotProduct.apply, args)


def train(ctx):
    check_gradient()
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        logits = model(batch.inputs)
        loss = batch.loss(logits)
        opt.zero_grad()
        loss.backward()
        for p in model.parameters():
            if p.grad is not None and not torch.isfinite(p.grad).all():
                p.grad = None
        opt.step()
