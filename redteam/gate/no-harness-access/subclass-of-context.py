# role: training
# rule: prism:no-harness-access | prism:no-attribute-escape
# tries: Derives a class from Context to reach what it keeps.
import torch
from prism_runtime import Context


class Mine(Context):
    def session(self):
        return self._session


def train(ctx):
    print(Mine.session(ctx))
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
