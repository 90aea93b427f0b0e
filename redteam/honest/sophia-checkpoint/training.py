"""Sophia-G: a clipped step over a diagonal Gauss-Newton-Bartlett estimate of the curvature.

A weight checkpoint is kept in the run's own directory; after a diverged step it is loaded back.
"""

import torch
from torch.distributions import Categorical


class SophiaG(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.965, 0.99), rho=0.04, weight_decay=0.1):
        super().__init__(params, dict(lr=lr, betas=betas, rho=rho, weight_decay=weight_decay))
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["exp_avg"] = torch.zeros_like(p)
                self.state[p]["hessian"] = torch.zeros_like(p)

    @torch.no_grad()
    def update_hessian(self, batch_tokens):
        for group in self.param_groups:
            beta2 = group["betas"][1]
            for p in filter(lambda p: p.grad is not None, group["params"]):
                self.state[p]["hessian"].mul_(beta2).addcmul_(
                    p.grad, p.grad, value=(1 - beta2) * batch_tokens
                )

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                p.mul_(1 - group["lr"] * group["weight_decay"])
                state["exp_avg"].lerp_(p.grad, 1 - group["betas"][0])
                ratio = (state["exp_avg"].abs() / (group["rho"] * state["hessian"] + 1e-15)).clamp_(
                    max=1
                )
                p.addcmul_(state["exp_avg"].sign(), ratio, value=-group["lr"])


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    optimizer = SophiaG(model.parameters(), lr=1e-3)
    best, path = float("inf"), ctx.artifacts_dir + "/last.pt"
    for step, batch in enumerate(ctx.stream(model, batch_size=8, seq_len=64)):
        loss = batch.loss(model(batch.inputs))
        optimizer.zero_grad(set_to_none=True)
        if step and (not torch.isfinite(loss) or loss.item() > 3 * best):
            state = torch.load(
                ctx.artifacts_dir + "/last.pt", map_location=ctx.device, weights_only=True
            )
            model.load_state_dict(state)
            print(f"went back to {path}")
            continue
        best = min(best, loss.item())
        loss.backward()
        optimizer.step()
        if step % 10 == 1:
            # curvature: labels drawn from the model itself, not from the data
            logits = model(batch.inputs)
            samples = Categorical(logits=logits.detach()).sample()
            nats = torch.nn.functional.cross_entropy(logits.flatten(0, 1), samples.flatten())
            optimizer.zero_grad(set_to_none=True)
            nats.backward()
            optimizer.update_hessian(samples.numel())
        if step % 100 == 0:
            torch.save(model.state_dict(), ctx.artifacts_dir + "/last.pt")
