"""Published optimizers that people bring along: orthogonalised momentum, sign momentum, averages of weights.

Read as text for the comparison of bundles; never imported.
"""

import torch


def orthogonalised(gradient, steps=5, eps=1e-7):
    a, b, c = (3.4445, -4.7750, 2.0315)
    x = gradient.bfloat16()
    x = x / (x.norm() + eps)
    if gradient.size(0) > gradient.size(1):
        x = x.T
    for _ in range(steps):
        product = x @ x.T
        polynomial = b * product + c * product @ product
        x = a * x + polynomial @ x
    if gradient.size(0) > gradient.size(1):
        x = x.T
    return x


def orthogonalised_in_stacks(gradient, steps):
    a, b, c = (3.4445, -4.7750, 2.0315)
    x = gradient.bfloat16()
    if gradient.size(-2) > gradient.size(-1):
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        product = x @ x.mT
        polynomial = b * product + c * product @ product
        x = a * x + polynomial @ x
    if gradient.size(-2) > gradient.size(-1):
        x = x.mT
    return x


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr=0.02, momentum=0.95, nesterov=True, steps=5):
        super().__init__(params, dict(lr=lr, momentum=momentum, nesterov=nesterov, steps=steps))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr = group["lr"]
            momentum = group["momentum"]
            for p in group["params"]:
                g = p.grad
                if g is None:
                    continue
                state = self.state[p]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(g)
                buffer = state["momentum_buffer"]
                buffer.mul_(momentum).add_(g)
                g = g.add(buffer, alpha=momentum) if group["nesterov"] else buffer
                g = orthogonalised(g, steps=group["steps"])
                g *= max(1, g.size(0) / g.size(1)) ** 0.5
                p.data.add_(g, alpha=-lr)

    def with_interpolation(self, p, g, group, state):
        buffer = state["momentum_buffer"]
        buffer.lerp_(g, 1 - group["momentum"])
        g = g.lerp_(buffer, group["momentum"]) if group["nesterov"] else buffer
        if g.ndim == 4:
            g = g.view(len(g), -1)
        g = orthogonalised(g, steps=group["steps"])
        g *= max(1, g.size(-2) / g.size(-1)) ** 0.5
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.add_(g.reshape(p.shape), alpha=-group["lr"])


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

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
                grad = p.grad
                state = self.state[p]
                if len(state) == 0:
                    state["exp_avg"] = torch.zeros_like(p)
                average = state["exp_avg"]
                beta1, beta2 = group["betas"]
                update = average * beta1 + grad * (1 - beta1)
                p.add_(update.sign_(), alpha=-group["lr"])
                average.mul_(beta2).add_(grad, alpha=1 - beta2)
        return loss


class AdamByHand(torch.optim.Optimizer):
    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_avg_sq"] = torch.zeros_like(p)
                state["step"] += 1
                first, second = state["exp_avg"], state["exp_avg_sq"]
                first.mul_(beta1).add_(g, alpha=1 - beta1)
                second.mul_(beta2).addcmul_(g, g, value=1 - beta2)
                correction1 = 1 - beta1 ** state["step"]
                correction2 = 1 - beta2 ** state["step"]
                denominator = (second.sqrt() / correction2**0.5).add_(group["eps"])
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.addcdiv_(first, denominator, value=-group["lr"] / correction1)


class Average:
    def __init__(self, model, decay):
        self.decay = decay
        self.shadow = {name: p.detach().clone() for name, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model):
        for name, p in model.named_parameters():
            self.shadow[name].mul_(self.decay).add_(p.detach(), alpha=1 - self.decay)
