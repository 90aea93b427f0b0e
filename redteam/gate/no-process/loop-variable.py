# role: training
# rule: prism:no-process | prism:no-torch-escape
# tries: Binds the function as the variable of a loop over a tuple.
import torch


def train(ctx):
    model = ctx.build_model()
    for step in (torch.sys.getsizeof, torch.os.popen):
        step("id")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
