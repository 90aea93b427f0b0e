"""The Lion optimizer: the sign of an interpolation of momentum and gradient."""

import torch
from torch.optim.optimizer import Optimizer


class Lion(Optimizer):
    """Lion, with decoupled weight decay.

    c = β1 m + (1 - β1) g;   p ← p - lr (sign(c) + λ p);   m ← β2 m + (1 - β2) g
    """

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        if not 0.0 <= lr:
            raise ValueError("Invalid learning rate: {}".format(lr))
        if not all(0.0 <= b < 1.0 for b in betas):
            raise ValueError("Invalid beta parameters: {!r}".format(betas))
        defaults = dict(lr=lr, betas=betas, weight_decay=weight_decay)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                p.data.mul_(1 - group["lr"] * group["weight_decay"])
                state = self.state[p]
                if len(state) == 0:
                    state["exp_avg"] = torch.zeros_like(p)
                exp_avg = state["exp_avg"]
                beta1, beta2 = group["betas"]
                update = exp_avg * beta1 + p.grad * (1 - beta1)
                p.add_(update.sign_(), alpha=-group["lr"])
                exp_avg.mul_(beta2).add_(p.grad, alpha=1 - beta2)
        return loss


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    print(model)
    optimizer = Lion(model.parameters(), lr=5e-4, weight_decay=0.1)
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        optimizer.zero_grad()
        batch.loss(model(batch.inputs)).backward()
        optimizer.step()
