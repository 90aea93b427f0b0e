# role: helper
# rule: prism:no-torch-escape
# tries: Derives from a wrapper that reads attributes of what it wraps.
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP


class Walk(FSDP):
    pass
