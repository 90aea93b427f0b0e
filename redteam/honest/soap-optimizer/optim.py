"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner."""

from itertools import chain

import torch
import torch.optim as optim


class SOAP(optim.Optimizer):
    """
    Parameters:
        params (`Iterable[nn.parameter.Parameter]`): parameters to optimize.
        lr (`float`, *optional*, defaults to 0.003): the learning rate.
        betas (`Tuple[float,float]`, *optional*, defaults to `(0.95, 0.95)`): Adam's betas.
        shampoo_beta (`float`, *optional*, defaults to -1): for the preconditioner; beta2 if negative.
        precondition_frequency (`int`, *optional*, defaults to 10): steps between two eigenbases.
    """

    def __init__(
        self,
        params,
        lr: float = 3e-3,
        betas=(0.95, 0.95),
        shampoo_beta: float = -1,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        precondition_frequency: int = 10,
        max_precond_dim: int = 512,
    ):
        defaults = {
            "lr": lr,
            "betas": betas,
            "shampoo_beta": shampoo_beta,
            "eps": eps,
            "weight_decay": weight_decay,
            "precondition_frequency": precondition_frequency,
            "max_precond_dim": max_precond_dim,
        }
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad, state = p.grad, self.state[p]
                beta1, beta2 = group["betas"]
                if "step" not in state:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(grad)
                    state["exp_avg_sq"] = torch.zeros_like(grad)
                    self.init_preconditioner(grad, state, group)
                    self.update_preconditioner(grad, state, group)
                    continue  # first step is skipped so that we never use the current gradients
                grad_projected = self.project(grad, state)
                state["step"] += 1
                state["exp_avg"].lerp_(grad, 1.0 - beta1)
                state["exp_avg_sq"].mul_(beta2).addcmul_(
                    grad_projected, grad_projected, value=1.0 - beta2
                )
                exp_avg_projected = self.project(state["exp_avg"], state)
                denom = state["exp_avg_sq"].sqrt().add_(group["eps"])
                bias1, bias2 = 1.0 - beta1 ** state["step"], 1.0 - beta2 ** state["step"]
                step_size = group["lr"] * bias2**0.5 / bias1
                p.add_(self.project(exp_avg_projected / denom, state, back=True), alpha=-step_size)
                if group["weight_decay"] > 0.0:
                    p.add_(p, alpha=-group["lr"] * group["weight_decay"])
                self.update_preconditioner(grad, state, group)
        return loss

    def init_preconditioner(self, grad, state, group):
        state["GG"], state["Q"] = [], None
        state["shampoo_beta"] = (
            group["shampoo_beta"] if group["shampoo_beta"] >= 0 else group["betas"][1]
        )
        for sh in grad.shape:
            small = grad.dim() == 2 and sh <= group["max_precond_dim"]
            state["GG"].append(torch.zeros(sh, sh, device=grad.device) if small else [])

    def update_preconditioner(self, grad, state, group):
        for idx, GG in enumerate(state["GG"]):
            if len(GG) > 0:
                others = list(chain(range(idx), range(idx + 1, grad.dim())))
                outer = torch.tensordot(grad, grad, dims=[others, others])
                GG.lerp_(outer, 1 - state["shampoo_beta"])
        if state["Q"] is None:
            state["Q"] = [self.eigenbasis(m) for m in state["GG"]]
        elif state["step"] % group["precondition_frequency"] == 0:
            state["Q"] = [self.refine(m, q) for m, q in zip(state["GG"], state["Q"])]

    @staticmethod
    def eigenbasis(m):
        if len(m) == 0:
            return []
        _, q = torch.linalg.eigh(m + 1e-30 * torch.eye(m.shape[0], device=m.device))
        return q.flip(1)  # descending; a flip over channels, not over time

    @staticmethod
    def refine(m, q):
        """One power iteration and a QR decomposition."""
        if len(m) == 0:
            return []
        order = torch.argsort(torch.diag(q.T @ m @ q), descending=True)
        return torch.linalg.qr(m @ q[:, order]).Q

    def project(self, grad, state, back=False):
        for mat in state["Q"]:
            if len(mat) > 0:
                grad = torch.tensordot(grad, mat, dims=[[0], [int(back)]])
            elif grad.dim() > 1:
                grad = grad.permute([*range(1, grad.dim()), 0])
        return grad
