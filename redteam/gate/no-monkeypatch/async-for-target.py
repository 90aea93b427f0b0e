# role: helper
# rule: prism:no-monkeypatch
# tries: Assigns by being the target of an asynchronous loop.
import torch.nn.functional as F


async def losses():
    yield lambda input, target, **options: input.sum() * 0


async def prepare():
    async for F.cross_entropy in losses():
        pass
