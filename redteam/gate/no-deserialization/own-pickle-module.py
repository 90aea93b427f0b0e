# role: training
# rule: prism:no-deserialization
# tries: Gives torch.load a pickle module of its own.
import torch


class Unpickler:
    @staticmethod
    def load(file, **options):
        return {}


def train(ctx):
    model = ctx.build_model()
    torch.load(ctx.artifacts_dir + "/warm.pt", pickle_module=Unpickler)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
