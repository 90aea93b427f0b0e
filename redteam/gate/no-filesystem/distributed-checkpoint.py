# role: training
# rule: prism:no-filesystem | prism:no-torch-escape | prism:no-forbidden-import
# tries: Writes a folder of files with the checkpoints of torch.distributed.
import torch
import torch.distributed.checkpoint as dcp


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    dcp.save(model.state_dict(), checkpoint_id="/tmp/checkpoint")
