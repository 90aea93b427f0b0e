"""Every usual schedule over `len(stream)` ends where it should, and the last byte is read with its last step."""

import math

import torch
from torch.optim import lr_scheduler

PEAK_LR = 0.1
# Neither divides a power of two: the last lane is short.
ROWS, SEQ_LEN = 7, 33


def trapezoid(step, steps):
    """Up for a twentieth, level, and down to nothing over the last fifth."""
    up, down = max(1, steps // 20), max(1, steps // 5)
    return min(1.0, (step + 1) / up, (steps - step) / down)


def schedules(steps):
    """By name: a schedule over so many steps, with an optimizer of its own."""
    kinds = {
        "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=steps),
        "linear": lambda o: lr_scheduler.LinearLR(o, 1.0, 0.0, total_iters=steps),
        "one cycle": lambda o: lr_scheduler.OneCycleLR(o, max_lr=PEAK_LR, total_steps=steps),
        "trapezoid": lambda o: lr_scheduler.LambdaLR(o, lambda step: trapezoid(step, steps)),
    }
    made = {}
    for name, kind in kinds.items():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK_LR)
        made[name] = (optimizer, kind(optimizer))
    return made


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=PEAK_LR)
    stream = ctx.stream(model, batch_size=ROWS, seq_len=SEQ_LEN)
    steps = len(stream)
    made = schedules(steps)
    used = {name: [] for name in made}
    read_bytes, progress = 0, []
    for step in range(steps):
        batch = next(stream)
        assert batch.step == step
        assert math.isclose(batch.progress * ctx.byte_budget, read_bytes, abs_tol=1e-3)
        progress.append(batch.progress)
        read_bytes += int((batch.targets[batch.mask] < 256).sum())
        for name, (_, schedule) in made.items():
            used[name].append(schedule.get_last_lr()[0])
        for group in optimizer.param_groups:
            group["lr"] = PEAK_LR * (1 - batch.progress)
        batch.loss(model(batch.inputs)).backward()
        optimizer.step()
        optimizer.zero_grad()
        for own, schedule in made.values():
            own.step()
            schedule.step()  # also after the last batch: OneCycleLR raises one step later

    assert next(stream, None) is None, "no batch is left over"
    assert read_bytes == ctx.byte_budget, "no byte is left over"
    assert progress[0] == 0.0 and progress == sorted(set(progress))
    assert 1 - 3 / steps < progress[-1] < 1.0
    for name, rates in used.items():
        assert len(rates) == steps and min(rates) >= 0.0, name
        assert max(rates) > 0.9 * PEAK_LR, name
        assert rates[-1] < 0.1 * PEAK_LR and rates[-1] == min(rates[steps // 2 :]), name
    assert made["cosine"][1].get_last_lr()[0] < 1e-12
    assert made["linear"][1].get_last_lr()[0] < 1e-12
    assert made["trapezoid"][1].get_last_lr()[0] == 0.0
    assert used["one cycle"][-1] < 1e-5 * PEAK_LR
