"""Schedule-free AdamW: gradients at y, a base sequence z, predictions from the average x.

    y = (1 - β) z + β x,   z ← z - γ g/√v,   x ← (1 - c) x + c z
The model holds y while it trains; a copy that holds x is the predictor.
"""

import copy

import torch


class ScheduleFreeAdamW(torch.optim.Optimizer):
    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, warmup_steps=10
    ):
        defaults = dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, warmup_steps=warmup_steps
        )
        super().__init__(params, {**defaults, "k": 0, "weight_sum": 0.0})

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            k = group["k"] = group["k"] + 1
            lr = group["lr"] * min(1.0, k / group["warmup_steps"]) * (1 - beta2**k) ** 0.5
            group["weight_sum"] += lr**2
            ckp1 = lr**2 / group["weight_sum"] if group["weight_sum"] else 0.0
            ys = [p for p in group["params"] if p.grad is not None]
            for y in ys:
                state = self.state[y]
                if "z" not in state:
                    state["z"], state["x"] = y.clone(), y.clone()
                    state["exp_avg_sq"] = torch.zeros_like(y)
            grads = [y.grad for y in ys]
            zs, xs, vs = ([self.state[y][name] for y in ys] for name in ("z", "x", "exp_avg_sq"))
            torch._foreach_mul_(vs, beta2)
            torch._foreach_addcmul_(vs, grads, grads, value=1 - beta2)
            denom = torch._foreach_sqrt(vs)
            torch._foreach_add_(denom, group["eps"])
            torch._foreach_mul_(zs, 1 - lr * group["weight_decay"])
            torch._foreach_addcdiv_(zs, grads, denom, value=-lr)
            torch._foreach_lerp_(xs, zs, ckp1)
            torch._foreach_copy_(ys, zs)
            torch._foreach_lerp_(ys, xs, beta1)
        return loss

    @torch.no_grad()
    def averages(self):
        """x of each parameter, in order."""
        return [self.state[p].get("x", p) for group in self.param_groups for p in group["params"]]


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    predictor = copy.deepcopy(model)
    optimizer = ScheduleFreeAdamW(model.parameters(), lr=5e-3)
    slow = list(predictor.parameters())
    for batch in ctx.stream(model, batch_size=16, seq_len=64, claims="eval", predictor=predictor):
        optimizer.zero_grad()
        batch.loss(model(batch.inputs)).backward()
        optimizer.step()
        with torch.no_grad():
            torch._foreach_copy_(slow, optimizer.averages())
