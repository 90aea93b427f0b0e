# role: helper
# rule: prism:no-dynamic-code | prism:no-torch-escape
# tries: Gives a string to the parser that TorchScript has for type comments and that evaluates them.
from torch.jit import annotations as shapes


def signature():
    return shapes.parse_type_line("# type: (print('x')) -> int", None, None)
