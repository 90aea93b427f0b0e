"""SGD with Nesterov momentum, and per-layer gradient norms in the log."""

import torch


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9, nesterov=True)
    for batch in ctx.stream(model, batch_size=16, seq_len=64):
        loss = batch.loss(model(batch.inputs))
        opt.zero_grad()
        loss.backward()
        total = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        opt.step()
        if batch.step % 20 == 0:
            norms = {f"layer{i}": l.weights.weight.grad.norm().item() for i, l in enumerate(model)}
            ctx.log(loss=loss.item(), total=total.item(), layers=len(model), **norms)
