"""Shampoo with a grafted step size; spectral norms update buffers, hence claims="eval"."""

import torch


class Shampoo(torch.optim.Optimizer):
    """W ← W - lr · L^(-1/4) G R^(-1/4), rescaled to the norm of the gradient's sign step."""

    def __init__(self, params, lr=1e-2, momentum=0.9, eps=1e-4, every=2, max_dim=256):
        super().__init__(
            params, dict(lr=lr, momentum=momentum, eps=eps, every=every, max_dim=max_dim)
        )

    @staticmethod
    def inverse_root(m, order):
        values, vectors = torch.linalg.eigh(m)
        return vectors @ torch.diag(values.clamp(min=1e-8) ** (-1 / order)) @ vectors.T

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if (g := p.grad) is None:
                    continue
                state = self.state[p]
                if not state:
                    state["step"], state["buf"] = 0, torch.zeros_like(p)
                    if self.matrix(p, group):
                        for name, n in zip("LR", p.shape):
                            state[name] = group["eps"] * torch.eye(n, device=p.device)
                            state[name + "_root"] = torch.eye(n, device=p.device)
                state["step"] += 1
                if self.matrix(p, group):
                    state["L"] += g @ g.T
                    state["R"] += g.T @ g
                    if state["step"] % group["every"] == 0 or state["step"] == 1:
                        for name in "LR":
                            state[name + "_root"] = self.inverse_root(state[name], 4)
                    d = state["L_root"] @ g @ state["R_root"]
                    d *= g.norm() / d.norm().clamp(min=1e-12)
                else:
                    d = g
                state["buf"].mul_(group["momentum"]).add_(d)
                p.add_(state["buf"], alpha=-group["lr"])

    @staticmethod
    def matrix(p, group):
        return p.ndim == 2 and max(p.shape) <= group["max_dim"]


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = Shampoo(model.parameters(), lr=0.05)
    for batch in ctx.stream(model, batch_size=8, seq_len=64, claims="eval"):
        loss = batch.loss(model(batch.inputs))
        opt.zero_grad()
        loss.backward()
        opt.step()
