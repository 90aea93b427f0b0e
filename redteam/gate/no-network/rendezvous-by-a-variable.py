# role: helper
# rule: prism:no-network
# tries: Takes the rendezvous from a function.
import torch.distributed as dist


def where():
    return "file" + ":///tmp/x"


dist.init_process_group("gloo", where(), world_size=1, rank=0)
