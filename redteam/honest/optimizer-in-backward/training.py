"""The optimizer step is fused into the backward pass with post-accumulate hooks; Adafactor by hand."""

import torch


class FactoredRMS:
    """Adafactor's second moment for one parameter: a row and a column instead of a matrix."""

    def __init__(self, param, lr, beta2=0.99, clip=1.0):
        self.lr, self.beta2, self.clip, self.t = lr, beta2, clip, 0
        if param.ndim == 2:
            self.row = param.new_zeros(param.shape[0])
            self.col = param.new_zeros(param.shape[1])
        else:
            self.full = torch.zeros_like(param)

    def second_moment(self, g2):
        decay = min(self.beta2, 1 - self.t**-0.8)
        if hasattr(self, "full"):
            self.full.lerp_(g2, 1 - decay)
            return self.full
        self.row.lerp_(g2.mean(1), 1 - decay)
        self.col.lerp_(g2.mean(0), 1 - decay)
        return torch.outer(self.row / self.row.mean().clamp(min=1e-30), self.col)

    @torch.no_grad()
    def __call__(self, param):
        self.t += 1
        update = param.grad * torch.rsqrt(self.second_moment(param.grad.square() + 1e-30))
        rms = update.square().mean().sqrt()
        param.add_(update / max(1.0, rms.item() / self.clip), alpha=-self.lr)
        param.grad = None


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    rules = {}
    for name, param in model.named_parameters():
        rules[name] = FactoredRMS(param, lr=3e-3)
        param.register_post_accumulate_grad_hook(rules[name])
    stream = ctx.stream(model, batch_size=8, seq_len=64)
    for batch in stream:
        for rule in rules.values():
            rule.lr = 5e-3 * (1 - batch.step / len(stream))
        batch.loss(model(batch.inputs)).backward()
