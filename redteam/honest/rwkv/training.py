"""Layer-wise learning rates: decays and first-token bonuses learn faster."""

import torch


def get_optim_groups(model):
    lr_1x, lr_2x, lr_3x = set(), set(), set()
    for n, p in model.named_parameters():
        if "time_mix" in n or n.endswith(".mix"):
            lr_1x.add(n)
        elif "time_decay" in n:
            lr_2x.add(n)
        elif "time_first" in n:
            lr_3x.add(n)
        else:
            lr_1x.add(n)
    param_dict = {n: p for n, p in model.named_parameters()}
    scales = ((lr_1x, 1.0), (lr_2x, 2.0), (lr_3x, 3.0))
    return [
        {"params": [param_dict[n] for n in sorted(names)], "weight_decay": 0.0, "my_lr_scale": s}
        for names, s in scales
    ]


def train(ctx):
    model = ctx.build_model()
    model = model.to(ctx.device)
    opt = torch.optim.Adam(get_optim_groups(model), lr=6e-4, betas=(0.9, 0.99), eps=1e-8)
    stream = ctx.stream(model, batch_size=8, seq_len=32)
    for i, batch in enumerate(stream):
        progress = i / len(stream)
        for group in opt.param_groups:
            group["lr"] = 3e-3 * (1 - 0.9 * progress) * group["my_lr_scale"]
        loss = batch.loss(model(batch.inputs))
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
