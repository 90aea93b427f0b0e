"""Conjugated from an LBFGS warm start on the output bias alone, then Adam; uses closures."""

import torch


def fit_bias(model, batch, steps=2):
    """A few LBFGS steps on the bias of the head, on a batch that was already predicted."""
    lbfgs = torch.optim.LBFGS(
        [model.head.bias], lr=0.5, max_iter=steps, line_search_fn="strong_wolfe"
    )

    def closure():
        lbfgs.zero_grad()
        logits = model(batch.inputs)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        loss.backward()
        return loss

    return lbfgs.step(closure)


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    print(f"{model.count():,} parameters")
    adam = torch.optim.Adam(model.parameters(), lr=3e-3)
    for batch in ctx.stream(model, batch_size=8, seq_len=48):
        batch.loss(model(batch.inputs)).backward()
        adam.step()
        adam.zero_grad()
        if batch.step == 0:
            fit_bias(model, batch)
            adam.zero_grad()
