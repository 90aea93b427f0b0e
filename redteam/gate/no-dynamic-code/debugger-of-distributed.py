# role: helper
# rule: prism:no-dynamic-code | prism:no-process | prism:no-torch-escape
# tries: Starts the debugger that torch.distributed has.
import torch.distributed as dist


def stop():
    dist.breakpoint()
