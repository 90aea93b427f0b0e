"""Learning rates over time: cosine, linear, trapezoid. Read as text for the comparison of bundles; never imported."""

import math

import torch


def cosine(it, warmup, total, peak, least):
    if it < warmup:
        return peak * (it + 1) / (warmup + 1)
    if it > total:
        return least
    ratio = (it - warmup) / (total - warmup)
    coefficient = 0.5 * (1.0 + math.cos(math.pi * ratio))
    return least + coefficient * (peak - least)


def cosine_factor(step, warmup, total):
    if step < warmup:
        return step / max(1, warmup)
    progress = (step - warmup) / max(1, total - warmup)
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def cosine_factor_with_a_floor(step, warmup, total, floor):
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total - warmup))
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))


def linear_factor(step, warmup, total):
    if step < warmup:
        return (step + 1) / warmup
    return max(0.0, (total - step) / max(1, total - warmup))


def trapezoid(step, warmup, total, cooldown):
    if step < warmup:
        return (step + 1) / warmup
    elif step < total - cooldown:
        return 1.0
    else:
        return (total - step) / cooldown


def warmup_stable_decay(step, warmup, total, fraction, floor):
    start = int(total * (1 - fraction))
    if step < warmup:
        return (step + 1) / warmup
    if step < start:
        return 1.0
    progress = (step - start) / max(1, total - start)
    return floor + (1 - floor) * (1 - progress)


def stable_then_root(step, warmup, total, start):
    if step < warmup:
        return step / warmup
    if step < start:
        return 1.0
    return 1.0 - math.sqrt((step - start) / (total - start))


def momentum(step):
    fraction = min(step / 300, 1)
    return (1 - fraction) * 0.85 + fraction * 0.95


def min_of_both(step, warmup, total):
    return min(1.0, (step + 1) / warmup) * max(0.1, 1.0 - step / total)


def min_and_cosine(step, warmup, total):
    return min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * step / total))


def of_the_library(optimizer, warmup, total):
    first = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: cosine_factor(step, warmup, total))
    second = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * step / total))
    )
    third = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=total, eta_min=1e-5)
    fourth = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-3, total_steps=total, pct_start=0.1)
    fifth = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        schedulers=[
            torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=warmup),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=total - warmup),
        ],
        milestones=[warmup],
    )
    return first, second, third, fourth, fifth


def apply(optimizer, lr):
    for group in optimizer.param_groups:
        group["lr"] = lr


def apply_factor(optimizer, factor):
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * factor
