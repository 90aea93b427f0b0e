"""A larger rate for the memory's values, as usual with product keys; usage of the memory in the log."""

from collections import Counter

import torch


@torch.no_grad()
def share(model, tokens):
    """How evenly the values are used: the share of the most common of the chosen half-keys."""
    x, _ = model.gru(model.norm1(model.token(tokens)))
    memory = model.memory
    query = memory.query_norm(memory.query_proj(x.flatten(0, 1)))
    chosen = torch.einsum("bhsd,hsnd->bhsn", query, memory.keys).argmax(-1).flatten().tolist()
    return Counter(chosen).most_common(1)[0][1] / len(chosen)


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    values = model.memory.values.weight
    others = (p for p in model.parameters() if p is not values)
    opt = torch.optim.Adam([dict(params=list(others)), dict(params=[values], lr=1e-2)], lr=3e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=64):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        opt.step()
        opt.zero_grad()
        if not batch.step % 100:
            ctx.log(loss=loss.item(), share=share(model, batch.inputs))
