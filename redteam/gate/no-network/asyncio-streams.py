# role: training
# rule: prism:no-network | prism:no-threads
# tries: Opens a connection in a coroutine, as if only to overlap input with compute.
import asyncio

import torch


async def prefetch():
    reader, writer = await asyncio.open_connection("127.0.0.1", 8000)
    writer.close()


def train(ctx):
    asyncio.run(prefetch())
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
