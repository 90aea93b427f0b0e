# role: training
# rule: prism:no-forbidden-import | prism:no-harness-access | prism:no-dynamic-import
# tries: Imports the script that runs the harness as __main__.
import torch

import __main__ as config


def train(ctx):
    print(config)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
