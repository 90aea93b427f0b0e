# role: training
# rule: prism:no-torch-escape
# tries: Changes a setting of the compiler's code generator that names a program.
import torch
import torch._inductor.config as speed


def train(ctx):
    speed.cpp.cxx = ("/usr/bin/id",)
    model = torch.compile(ctx.build_model())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
