# role: training
# rule: prism:no-torch-escape
# tries: Has CUDA take its memory from a shared library.
import torch


def train(ctx):
    memory = torch.cuda.memory
    if ctx.device == "cuda":
        memory.change_current_allocator(memory.CUDAPluggableAllocator("a.so", "take", "give"))
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
