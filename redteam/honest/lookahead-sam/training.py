"""Sharpness-aware minimisation (needs a closure) under a Lookahead wrapper around any optimizer."""

import torch
from torch.optim import Optimizer


class SAM(Optimizer):
    def __init__(self, params, base_optimizer, rho=0.05, **kwargs):
        assert rho >= 0.0, f"Invalid rho, should be non-negative: {rho}"
        super().__init__(params, dict(rho=rho, **kwargs))
        self.base_optimizer = base_optimizer(self.param_groups, **kwargs)
        self.param_groups = self.base_optimizer.param_groups

    @torch.no_grad()
    def first_step(self):
        grads = [
            p.grad.norm() for g in self.param_groups for p in g["params"] if p.grad is not None
        ]
        norm = torch.stack(grads).norm()
        for group in self.param_groups:
            scale = group["rho"] / (norm + 1e-12)
            for p in group["params"]:
                if p.grad is None:
                    continue
                self.state[p]["old_p"] = p.data.clone()
                p.add_(p.grad * scale)

    @torch.no_grad()
    def second_step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.data = self.state[p]["old_p"]
        self.base_optimizer.step()

    def step(self, closure=None):
        assert closure is not None, "SAM needs a closure"
        closure = torch.enable_grad()(closure)
        self.first_step()
        self.zero_grad()
        closure()
        self.second_step()


class Lookahead:
    """k steps forward, 1 step back."""

    def __init__(self, optimizer, k=5, alpha=0.5):
        self.optimizer, self.k, self.alpha, self.count = optimizer, k, alpha, 0
        self.slow = [[p.detach().clone() for p in g["params"]] for g in optimizer.param_groups]

    @property
    def param_groups(self):
        return self.optimizer.param_groups

    def __getstate__(self):
        return {"optimizer": self.optimizer, "k": self.k, "alpha": self.alpha, "slow": self.slow}

    def zero_grad(self):
        self.optimizer.zero_grad()

    @torch.no_grad()
    def step(self, closure=None):
        self.optimizer.step(closure)
        self.count += 1
        if self.count % self.k:
            return
        for group, slow in zip(self.param_groups, self.slow):
            for p, q in zip(group["params"], slow):
                q.add_(p - q, alpha=self.alpha)
                p.copy_(q)


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = Lookahead(SAM(model.parameters(), torch.optim.SGD, lr=0.1, momentum=0.9), k=3)
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        # the first call of batch.loss is the prediction, so it is made before the weights are moved
        batch.loss(model(batch.inputs)).backward()

        def closure():
            loss = batch.loss(model(batch.inputs))
            loss.backward()
            return loss

        opt.step(closure)
        opt.zero_grad()
