# role: helper
# rule: prism:no-torch-escape
# tries: Compiles a module by its own method with a backend that is a function.
from torch import nn


def backend(graph, inputs):
    return graph.forward


def prepare():
    model = nn.Linear(2, 2)
    model.compile(backend=backend)
    return model
