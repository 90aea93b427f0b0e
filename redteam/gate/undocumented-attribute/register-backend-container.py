# role: architecture
# rule: prism:undocumented-attribute
# tries: Backend.register_backend of a class that comes out of a list.
import torch.distributed as dist

box = [dist.Backend]


def own(*given):
    return None


def build_model(ctx):
    kind = box.pop()
    kind.register_backend("own", own)
    return kind.backend_list
