"""Label smoothing and token noise in the training loss; the claims come from eval mode."""

import torch
import torch.nn.functional as F
from torch.distributions.bernoulli import Bernoulli


def corrupt(tokens, rate, vocab):
    """Some inputs become another token of the same row's distribution."""
    noise = Bernoulli(torch.full(tokens.shape, rate, device=tokens.device)).sample().bool()
    return torch.where(noise, torch.randint_like(tokens, vocab), tokens)


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = (
        torch.optim.Rprop(model.parameters(), lr=1e-3)
        if ctx.token_budget < 1_000
        else torch.optim.Adam(model.parameters(), lr=3e-3)
    )
    for batch in ctx.stream(model, batch_size=8, seq_len=40, claims="eval"):
        logits = model(corrupt(batch.inputs, 0.02, ctx.vocab_size))
        target = batch.targets.masked_fill(~batch.mask, -100)
        loss = F.cross_entropy(
            logits.flatten(0, 1), target.flatten(), label_smoothing=0.02, ignore_index=-100
        )
        opt.zero_grad()
        loss.backward()
        opt.step()
