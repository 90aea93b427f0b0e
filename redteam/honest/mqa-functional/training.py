"""Per-sample gradients with torch.func: functional_call, vmap and grad; a noise-scale estimate from them.

The noise scale of a batch (trace of the gradients' covariance over the squared mean) tells how large
a batch is worth while. It is measured every so often on a few rows, on a copy of nothing: the
parameters are passed as a dictionary.
"""

import torch
import torch.nn.functional as F
from torch.func import functional_call, grad, vmap, stack_module_state


def noise_scale(model, inputs, targets):
    params = {k: v.detach() for k, v in model.named_parameters()}
    buffers = dict(model.named_buffers())

    def row_loss(params, row, target):
        logits = functional_call(model, (params, buffers), (row[None],))
        return F.cross_entropy(logits[0], target)

    grads = vmap(grad(row_loss), in_dims=(None, 0, 0))(params, inputs, targets)
    flat = torch.cat([g.flatten(1) for g in grads.values()], dim=1)
    mean = flat.mean(0)
    return ((flat - mean).square().sum(1).mean() / mean.square().sum()).item()


def spread_of(models):
    """Largest spread of a parameter over several models of one shape (here: one)."""
    params, _ = stack_module_state(models)
    return max(p.std(dim=0, unbiased=False).max().item() for p in params.values())


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.1)
    for i, batch in enumerate(ctx.stream(model, batch_size=8, seq_len=64)):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        opt.step()
        opt.zero_grad()
        if i % 100 == 0:
            ctx.log(
                noise=noise_scale(model, batch.inputs[:4], batch.targets[:4]),
                spread=spread_of([model]),
            )
