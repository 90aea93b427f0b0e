# role: training
# rule: prism:no-deserialization
# tries: Starts at the artifacts and climbs out of them in an f-string.
import torch


def train(ctx):
    model = ctx.build_model()
    model.load_state_dict(torch.load(f"{ctx.artifacts_dir}/../../opt/weights.pt", weights_only=True))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
