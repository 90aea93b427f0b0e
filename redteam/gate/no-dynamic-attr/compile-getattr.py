# role: architecture
# rule: prism:no-dynamic-attr
# tries: Getattr(model, 'compile') with a backend that is an attribute.
import torch
from torch import nn

found = []


class Back:
    def run(self, graph, inputs):
        found.append(graph)
        return graph.forward


def start(how, backend):
    how(backend=backend)


def build_model(ctx):
    model = nn.Linear(2, 2)
    start(getattr(model, "compile"), Back().run)
    model(torch.zeros(1, 2))
    return type(found[0]).__name__
