# role: helper
# rule: prism:no-torch-escape | prism:no-forbidden-import
# tries: Sets the default backend of torch.compile to a function.
import torch


def backend(graph, inputs):
    return graph.forward


torch.compiler.set_default_backend(backend)
