# role: training
# rule: prism:no-network | prism:no-torch-escape
# tries: Uses the key-value store of torch.distributed as a client of the host.
import torch
from torch.distributed import TCPStore as Cache


def train(ctx):
    cache = Cache("127.0.0.1", 47613, is_master=False)
    cache.set("seed", str(ctx.seed))
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
