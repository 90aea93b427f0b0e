# role: helper
# rule: prism:no-filesystem
# tries: Writes a captured CUDA graph to a file.
import torch


def keep(graph):
    torch.cuda.export_graph_data(graph, "/tmp/graph")
