"""Parameter groups from the `optim_settings` attribute that the kernel left on its parameters."""

import torch


def setup_optimizer(model, lr, weight_decay):
    all_parameters = list(model.parameters())
    params = [p for p in all_parameters if not hasattr(p, "optim_settings")]
    optimizer = torch.optim.AdamW(params, lr=lr, weight_decay=weight_decay)
    hps = [p.optim_settings for p in all_parameters if hasattr(p, "optim_settings")]
    hps = [dict(s) for s in sorted({frozenset(hp.items()) for hp in hps}, key=repr)]
    for hp in hps:
        params = [p for p in all_parameters if getattr(p, "optim_settings", None) == hp]
        optimizer.add_param_group({"params": params, **hp})
    keys = sorted(set(k for hp in hps for k in hp.keys()))
    for i, g in enumerate(optimizer.param_groups):
        group_hps = {k: g.get(k, None) for k in keys}
        print(f"Optimizer group {i} | {len(g['params'])} tensors | {group_hps}")
    return optimizer


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    optimizer = setup_optimizer(model, lr=4e-3, weight_decay=0.01)
    for batch in ctx.stream(model, batch_size=16, seq_len=64):
        optimizer.zero_grad()
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
