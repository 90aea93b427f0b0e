# role: architecture
# rule: prism:no-harness-access
# tries: @functools.lru_cache(functools.partial) keeps build_model as .func, to be called with another ctx.
import functools

import torch


class Fake:
    artifacts_dir = "/tmp/prism-escaped"
    again = False


@functools.lru_cache(functools.partial)
def build_model(ctx):
    if ctx.artifacts_dir != "/tmp/prism-escaped":
        return build_model.func(Fake())
    torch.save(torch.zeros(1), f"{ctx.artifacts_dir}/entry.pt")
    return "written /tmp/prism-escaped/entry.pt"
