# role: helper
# rule: prism:no-torch-escape | prism:no-forbidden-import
# tries: Forces a backend that is a function with torch.compiler.set_stance.
import torch


def backend(graph, inputs):
    return graph.forward


torch.compiler.set_stance("default", force_backend=backend)
