# role: training
# rule: prism:no-attribute-escape
# tries: Raises an exception to walk up the frames of its traceback, into those of the caller.
import torch


def train(ctx):
    try:
        raise KeyError("batch")
    except KeyError as missing:
        caller = missing.__traceback__.tb_frame.f_back
        print(caller.f_locals)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
