# role: helper
# rule: prism:undocumented-attribute | prism:no-torch-escape | prism:no-forbidden-import | prism:no-dynamic-attr | prism:no-attribute-escape
# tries: Asks functional for a module by a name that a caller gives.
import torch.nn.functional as F


def pick(name):
    return getattr(F, name)


pick("import" + "lib")
