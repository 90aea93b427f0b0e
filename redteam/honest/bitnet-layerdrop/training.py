"""A mean teacher: the average of the past weights teaches the student, and is what predicts."""

import copy

import torch
import torch.nn.functional as F


class EMA:
    def __init__(self, model, decay):
        self.module = copy.deepcopy(model)
        self.module.requires_grad_(False)
        self.decay = decay

    def __call__(self, *args, **kwargs):
        return self.module(*args, **kwargs)

    @torch.no_grad()
    def update(self, model):
        source, target = model.state_dict(), self.module.state_dict()
        for key, value in target.items():
            if value.dtype.is_floating_point:
                value.mul_(self.decay).add_(source[key], alpha=1 - self.decay)
            else:
                value.copy_(source[key])


def kd_loss(student, teacher, T=2.0):
    p, q = F.log_softmax(student / T, -1), F.log_softmax(teacher / T, -1)
    return F.kl_div(p, q, log_target=True, reduction="batchmean") * T**2 / student.shape[1]


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    ema = EMA(model, 0.9)
    ema.module.eval()
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
    stream = ctx.stream(model, batch_size=8, seq_len=64, claims="eval", predictor=ema.module)
    for batch in stream:
        logits = model(batch.inputs)
        with torch.inference_mode():
            taught = ema(batch.inputs)
        loss = batch.loss(logits) + 0.1 * kd_loss(logits, taught.clone())
        opt.zero_grad()
        loss.backward()
        opt.step()
        ema.update(model)
