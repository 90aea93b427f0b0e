"""Groups of parameters for the usual optimizers. Read as text for the comparison of bundles; never imported."""

import torch


def configure(model, weight_decay, lr, betas, device_type):
    named = {name: p for name, p in model.named_parameters()}
    named = {name: p for name, p in named.items() if p.requires_grad}
    decayed = [p for n, p in named.items() if p.dim() >= 2]
    others = [p for n, p in named.items() if p.dim() < 2]
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    decayed_count = sum(p.numel() for p in decayed)
    others_count = sum(p.numel() for p in others)
    print(decayed_count, others_count)
    fused = device_type == "cuda"
    extra = dict(fused=True) if fused else dict()
    return torch.optim.AdamW(groups, lr=lr, betas=betas, **extra)


def groups_by_dimension(model):
    decayed = [p for p in model.parameters() if p.requires_grad and p.dim() >= 2]
    others = [p for p in model.parameters() if p.requires_grad and p.dim() < 2]
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=3e-4, betas=(0.9, 0.95)
    )


def groups_by_loop(model):
    decayed, others = [], []
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        if p.ndim >= 2:
            decayed.append(p)
        else:
            others.append(p)
    return torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=1e-3)


def groups_by_name(model):
    decayed, others = [], []
    for name, p in model.named_parameters():
        if p.ndim < 2 or name.endswith("bias") or "norm" in name or "embed" in name:
            others.append(p)
        else:
            decayed.append(p)
    return [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]


def count(model):
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def all_of_them(model):
    first = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    second = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-4, weight_decay=0.1)
    return first, second
