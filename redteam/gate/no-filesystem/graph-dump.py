# role: helper
# rule: prism:no-filesystem
# tries: Writes a file with the debugging of a CUDA graph.
import torch


def keep():
    graph = torch.cuda.CUDAGraph()
    graph.enable_debug_mode()
    graph.debug_dump("/tmp/graph.dot")
