"""Muon for the matrices, Adam for the rest; long script at module level is constants only."""

import torch
from torch import Tensor

# quintic Newton-Schulz coefficients, one row an iteration
NS_COEFFICIENTS = [
    (4.0848, -6.8946, 2.9270),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
]


def zeropower_via_newtonschulz(G: Tensor) -> Tensor:
    """The nearest orthogonal matrix, roughly: US'Vᵀ with the singular values S' near 1."""
    assert G.ndim >= 2
    X = G.bfloat16() if G.is_cuda else G.float()
    if G.size(-2) > G.size(-1):
        X = X.mT
    X = X / (X.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for a, b, c in NS_COEFFICIENTS:
        A = X @ X.mT
        B = b * A + c * A @ A
        X = a * X + B @ X
    if G.size(-2) > G.size(-1):
        X = X.mT
    return X.type_as(G)


class Muon(torch.optim.Optimizer):
    """MomentUm Orthogonalized by Newton-schulz."""

    def __init__(self, params, lr=0.02, momentum=0.95, weight_decay=0.0):
        params = list(params)
        assert all(isinstance(p, Tensor) and p.ndim >= 2 for p in params)
        sizes = {p.shape for p in params}
        # one group for each shape, so that equal matrices could be stacked
        groups = [dict(params=[p for p in params if p.shape == size]) for size in sizes]
        super().__init__(groups, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if not params:
                continue
            for p in params:
                state = self.state[p]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(p)
            buffers = [self.state[p]["momentum_buffer"] for p in params]
            grads = [p.grad for p in params]
            torch._foreach_lerp_(buffers, grads, 1 - group["momentum"])
            updates = torch._foreach_lerp(grads, buffers, group["momentum"])
            v = zeropower_via_newtonschulz(torch.stack(updates))
            scale = max(1, params[0].size(-2) / params[0].size(-1)) ** 0.5
            torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_add_(params, list(v.unbind(0)), alpha=-group["lr"] * scale)


def get_lr(step: int, num_iterations: int, cooldown_frac: float = 0.45):
    x = step / num_iterations
    assert 0 <= x < 1
    if x < 1 - cooldown_frac:
        return 1.0
    w = (1 - x) / cooldown_frac
    return w * 1.0 + (1 - w) * 0.1


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    hidden = [p for n, p in model.blocks.named_parameters() if p.ndim >= 2]
    embeds = [*model.embed.parameters(), *model.value_embeds.parameters()]
    scalars = [p for p in model.parameters() if p.ndim < 2]
    head = [model.lm_head.weight]
    adam_groups = [
        dict(params=head, lr=0.01),
        dict(params=embeds, lr=0.03),
        dict(params=scalars, lr=0.01),
    ]
    optimizer1 = torch.optim.Adam(adam_groups, betas=(0.8, 0.95), eps=1e-10, fused=True)
    optimizer2 = Muon(hidden, lr=0.02)
    optimizers = [optimizer1, optimizer2]
    for opt in optimizers:
        for group in opt.param_groups:
            group["initial_lr"] = group["lr"]

    stream = ctx.stream(model, batch_size=16, seq_len=64)
    for step, batch in enumerate(stream):
        batch.loss(model(batch.inputs)).backward()
        for opt in optimizers:
            for group in opt.param_groups:
                group["lr"] = group["initial_lr"] * get_lr(step, len(stream))
        for group in optimizer2.param_groups:
            frac = min(step / 300, 1)  # momentum warmup for muon
            group["momentum"] = (1 - frac) * 0.85 + frac * 0.95
        for opt in optimizers:
            opt.step()
        model.zero_grad(set_to_none=True)
