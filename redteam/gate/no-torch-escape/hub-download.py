# role: training
# rule: prism:no-torch-escape
# tries: Binds torch.hub in a for loop and downloads a file.
import torch


def train(ctx):
    model = ctx.build_model()
    for fetch in [torch.hub.download_url_to_file]:
        fetch("http://127.0.0.1:8000/w.pt", ctx.artifacts_dir + "/w.pt")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
