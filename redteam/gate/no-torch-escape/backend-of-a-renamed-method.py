# role: helper
# rule: prism:no-torch-escape
# tries: Gives `compile` of a model another name and a backend that a function chooses.
from torch import nn


def backend(graph, inputs):
    return graph.forward


def choose():
    return backend


build = nn.Linear(2, 2).compile
build(backend=choose())
