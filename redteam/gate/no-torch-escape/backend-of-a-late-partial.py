# role: helper
# rule: prism:no-torch-escape
# tries: Gives a backend that is a function to a partial of torch.compile when it is called.
import functools

import torch


def backend(graph, inputs):
    return graph.forward


compile_later = functools.partial(torch.compile)
step = compile_later(lambda x: x + 1, backend=backend)
