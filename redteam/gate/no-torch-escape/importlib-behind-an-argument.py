# role: helper
# rule: prism:no-dynamic-import | prism:undocumented-attribute | prism:no-torch-escape | prism:no-forbidden-import | prism:no-dynamic-attr | prism:no-attribute-escape
# tries: The same through an argument, after defining the name.
import torch.nn.functional as F


class Own:
    def __init__(self):
        self.importlib = 1


def use(lib):
    return lib.importlib.import_module("json")


use(F)
