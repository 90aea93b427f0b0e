# role: architecture
# rule: prism:no-dynamic-attr
# tries: Prune.Identity().apply(f, name): the class method through an object has no path.
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
        prune.Identity().apply(victim, "__globals__")
    except Exception:
        pass
    return found[0]["__builtins__"]["eval"]("1+1")
