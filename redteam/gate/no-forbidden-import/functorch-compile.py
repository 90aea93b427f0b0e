# role: helper
# rule: prism:no-forbidden-import
# tries: Imports a package of the runtime whose name looks like a part of torch.
from functorch.compile import aot_function as speed


def fast(function):
    return speed(function, lambda graph, inputs: graph)
