# role: architecture
# rule: prism:no-dynamic-attr
# tries: An own backend adds a call_method whose name is code to the graph and recompiles the module.
import torch
from torch import nn

found = []


class Names:
    nodes = None


class Back:
    def run(self, module, inputs):
        graph = module.graph
        first = [node for node in graph.nodes][0]
        with graph.inserting_after(first):
            graph.call_method('x", 0) or print("FX RAN", __import__("os"), flush=True) or getattr(1, "conjugate', (first,))
        module.recompile()
        return module.forward


def keep(*given):
    found.append(given)


def build_model(ctx):
    model = nn.Linear(2, 2)
    run = model.compile
    run(backend=Back().run)
    try:
        model(torch.zeros(1, 2))
    except Exception as error:
        found.append(str(error)[-300:])
    return found
