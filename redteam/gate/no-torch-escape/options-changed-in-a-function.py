# role: helper
# rule: prism:no-torch-escape
# tries: Hands the table to a function that changes it.
import torch

OPTIONS = {"max_autotune": True}


def change(table):
    table["cpp.cxx"] = ("/bin/false",)


change(OPTIONS)
fast = torch.compile(lambda x: x, options=OPTIONS)
