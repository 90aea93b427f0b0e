# role: training
# rule: prism:no-dynamic-attr | prism:no-dynamic-code
# tries: Writes names at module level through locals.
import torch

locals()["learning" + "_rate"] = 1e-3


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
