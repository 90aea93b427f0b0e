# role: architecture
# rule: prism:no-dynamic-attr
# tries: C = model.compile; c(backend=own.run): a backend of the bundle's own.
import torch
from torch import nn

found = []


class Back:
    def run(self, graph, inputs):
        found.append(graph)
        return graph.forward


def build_model(ctx):
    model = nn.Linear(2, 2)
    back = Back()
    run = model.compile
    run(backend=back.run)
    model(torch.zeros(1, 2))
    return found[0].code
