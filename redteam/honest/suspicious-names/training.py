"""More of them: a function called eval, a parameter called open, loop variables called id and type."""

import torch


def eval(model, batch, open=True):
    """The loss in eval mode, as a number; `open` says whether gradients are kept out."""
    was = model.training
    model.eval()
    with torch.set_grad_enabled(not open):
        loss = torch.nn.functional.cross_entropy(
            model(batch.inputs).flatten(0, 1), batch.targets.flatten()
        )
    model.train(was)
    return loss.item()


class Ring:
    """A ring of numbers with dunder methods of its own."""

    def __init__(self, size):
        self.size, self.items = size, {}

    def __setitem__(self, key, value):
        self.items[key % self.size] = value

    def __getitem__(self, key):
        return self.items[key % self.size]

    def __contains__(self, key):
        return key % self.size in self.items

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        return iter(self.items.values())

    def __enter__(self):
        return self

    def __exit__(self, kind, value, where):
        self.items.clear()

    def __eq__(self, other):
        return isinstance(other, Ring) and self.items == other.items

    def __hash__(self):
        return hash(self.size)

    def __bool__(self):
        return bool(self.items)


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    socket = ctx.stream(model, batch_size=16, seq_len=64)
    with Ring(8) as system:
        for id, batch in enumerate(socket):
            loss = batch.loss(model(batch.inputs))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            system[id] = loss.item()
            if id % 50 == 0 and system:
                ctx.log(mean=sum(system) / len(system), after=eval(model, batch))
    for type in ("weight", "bias"):
        print(type, sum(p.numel() for name, p in model.named_parameters() if name.endswith(type)))
