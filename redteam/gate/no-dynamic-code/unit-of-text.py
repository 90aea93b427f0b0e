# role: helper
# rule: prism:no-dynamic-code
# tries: Compiles TorchScript from a text by a class of torch itself.
import torch

UNIT = torch.CompilationUnit("def f(p: str):\n    return torch.from_file(p, False, 3)\n")
