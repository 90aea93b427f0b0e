"""AdamW; forward hooks on the bundle's own routers count how many tokens take each block."""

import torch


class Usage:
    """Collects the fraction of active tokens, block by block."""

    def __init__(self, model):
        self.sums = {}
        self.handles = [
            block.router.register_forward_hook(self.hook(i))
            for i, block in enumerate(model.blocks)
            if block.router is not None
        ]

    def hook(self, i):
        def record(module, args, output):
            self.sums[i] = (output.detach() > 0).float().mean()

        return record

    def __iter__(self):
        yield from self.sums.items()

    def close(self):
        for handle in self.handles:
            handle.remove()


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    usage = Usage(model)
    # gradients can be hooked as well
    model.wte.weight.register_hook(lambda grad: grad.clamp(-1, 1))
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
    try:
        for batch in ctx.stream(model, batch_size=8, seq_len=64):
            loss = batch.loss(model(batch.inputs))
            opt.zero_grad()
            loss.backward()
            opt.step()
            if batch.step % 50 == 0:
                ctx.log(loss=loss.item(), **{f"active_{i}": v.item() for i, v in usage})
    finally:
        usage.close()
