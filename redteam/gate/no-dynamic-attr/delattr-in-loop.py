# role: training
# rule: prism:no-dynamic-attr | prism:no-monkeypatch
# tries: Deletes names of torch in a loop over strings.
import torch


def train(ctx):
    for name in ("manual_seed", "use_deterministic_algorithms"):
        delattr(torch, name)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
