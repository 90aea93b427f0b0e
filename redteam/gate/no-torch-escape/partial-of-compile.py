# role: helper
# rule: prism:no-torch-escape
# tries: Gives a backend that is a function to a partial of torch.compile.
import functools

import torch


def backend(graph, inputs):
    return graph.forward


quick = functools.partial(torch.compile, backend=backend)
