# role: training
# rule: prism:no-torch-escape
# tries: Widens the list of what torch.load may call.
import torch


def train(ctx):
    torch.serialization.add_safe_globals([print])
    model = ctx.build_model()
    model.load_state_dict(torch.load(ctx.artifacts_dir + "/w.pt", weights_only=True))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
