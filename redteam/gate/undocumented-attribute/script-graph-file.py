# role: architecture
# rule: prism:undocumented-attribute
# tries: A node aten::from_file is put into the graph of a script function.
import torch


class Names:
    def appendNode(self): ...
    def findNode(self): ...
    def registerOutput(self): ...
    def eraseOutput(self): ...


@torch.jit.script
def f(path: str, shared: bool, size: int):
    return torch.zeros([size], dtype=torch.uint8)


def build_model(ctx):
    graph = f.graph
    path, shared, size = list(graph.inputs())
    zeros = graph.findNode("aten::zeros")
    _, kind, none, *_ = list(zeros.inputs())
    node = graph.create("aten::from_file", [path, shared, size, kind, none, none, none])
    node.insertBefore(zeros)
    node.output().setType(zeros.output().type())
    graph.eraseOutput(0)
    graph.registerOutput(node.output())
    return bytes(f("/etc/passwd", False, 20).tolist())
