"""AdEMAMix (two momenta) with a cautious mask: only coordinates that agree with the gradient move."""

import math

import torch


class CautiousAdEMAMix(torch.optim.Optimizer):
    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999, 0.9999), alpha=5.0, T=None, eps=1e-8, wd=0.0
    ):
        super().__init__(params, dict(lr=lr, betas=betas, alpha=alpha, T=T, eps=eps, wd=wd, step=0))
        self.register_step_post_hook(self._count)

    @staticmethod
    def _count(optimizer, args, kwargs):
        for group in optimizer.param_groups:
            group["step"] += 1

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in self.defaults.items())})"

    @staticmethod
    def warm(step, T, end, start):
        """β3 grows with its half-life linear in the step."""
        if T is None or step >= T:
            return end
        half = lambda β: math.log(0.5) / math.log(β) - 1
        t = step / T
        return 0.5 ** (1 / ((1 - t) * half(start) + t * half(end) + 1))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (β1, β2, β3), k = group["betas"], group["step"] + 1
            α = group["alpha"] if group["T"] is None else min(1.0, k / group["T"]) * group["alpha"]
            β3 = self.warm(k, group["T"], β3, β1)
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                for name in ("m1", "m2", "nu"):
                    state.setdefault(name, torch.zeros_like(p, memory_format=torch.preserve_format))
                g = p.grad
                state["m1"].lerp_(g, 1 - β1)
                state["m2"].lerp_(g, 1 - β3)
                state["nu"].mul_(β2).addcmul_(g, g, value=1 - β2)
                denom = (state["nu"].sqrt() / math.sqrt(1 - β2**k)).add_(group["eps"])
                update = (state["m1"] / (1 - β1**k) + α * state["m2"]) / denom
                mask = (update * g > 0).to(g.dtype)
                mask /= mask.mean().clamp_(min=1e-3)
                p.add_(update * mask + group["wd"] * p, alpha=-group["lr"])


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    stream = ctx.stream(model, batch_size=8, seq_len=64)
    opt = CautiousAdEMAMix(model.parameters(), lr=2e-3, T=len(stream))
    print(opt)
    for batch in stream:
        opt.zero_grad()
        batch.loss(model(batch.inputs)).backward()
        opt.step()
