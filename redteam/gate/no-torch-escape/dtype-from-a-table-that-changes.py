# role: helper
# rule: prism:undocumented-attribute | prism:no-torch-escape | prism:no-forbidden-import | prism:no-dynamic-attr | prism:no-attribute-escape
# tries: The table of names is changed before it is read.
import torch

NAMES = {"a": "float32"}
NAMES["a"] = "".join(["h", "ub"])


def dtype_of(key):
    return getattr(torch, NAMES[key])


dtype_of("a")
