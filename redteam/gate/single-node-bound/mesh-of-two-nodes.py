# role: training
# rule: prism:single-node-bound
# tries: Makes a mesh of two rows of eight GPUs.
import torch
from torch.distributed.device_mesh import init_device_mesh


def train(ctx):
    mesh = init_device_mesh("cuda", (2, 8), mesh_dim_names=("node", "gpu"))
    model = ctx.build_model().to(mesh.device_type)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
