# role: training
# rule: prism:no-harness-access | prism:no-forbidden-import
# tries: Imports something beside the interface of the older evaluator.
import torch
from prism_challenge.evaluator import runner


def train(ctx):
    print(runner)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
