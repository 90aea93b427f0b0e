# role: helper
# rule: prism:no-torch-escape
# tries: Gives a backend that is a function to a partial of a module's own compile.
import functools

from torch import nn


def backend(graph, inputs):
    return graph.forward


quick = functools.partial(nn.Linear(2, 2).compile, backend=backend)
