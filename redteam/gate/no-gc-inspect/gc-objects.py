# role: training
# rule: prism:no-gc-inspect
# tries: Finds objects of the harness among all that the collector knows.
import gc as memory

import torch


def train(ctx):
    memory.collect()
    found = [item for item in memory.get_objects() if type(item).__name__ == "Session"]
    ctx.log(found=len(found))
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
