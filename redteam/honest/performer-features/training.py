"""Adam with polynomial decay; random projections are drawn anew between batches, on purpose."""

import torch
from architecture import gaussian_orthogonal_random_matrix


@torch.no_grad()
def redraw(model):
    for module in model.modules():
        if isinstance(getattr(module, "projection", None), torch.Tensor):
            rows, columns = module.projection.shape
            module.projection.copy_(gaussian_orthogonal_random_matrix(rows, columns))


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    stream = ctx.stream(model, batch_size=8, seq_len=64)
    sched = torch.optim.lr_scheduler.PolynomialLR(opt, total_iters=len(stream), power=1.5)
    for batch in stream:
        batch.loss(model(batch.inputs)).backward()
        opt.step()
        opt.zero_grad()
        sched.step()
        if batch.step % 100 == 99:
            redraw(model)
