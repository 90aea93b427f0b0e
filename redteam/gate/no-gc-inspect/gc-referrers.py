# role: training
# rule: prism:no-gc-inspect
# tries: Asks the collector who refers to ctx, by a function that is imported alone.
from gc import get_referrers as users

import torch


def train(ctx):
    print(len(users(ctx)))
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
