# role: helper
# rule: prism:undocumented-attribute | prism:no-torch-escape | prism:no-forbidden-import | prism:no-dynamic-attr | prism:no-attribute-escape
# tries: Updates the table by a method.
import torch

NAMES = {"a": "float32"}
NAMES.update(a="hub")


def dtype_of(key):
    return getattr(torch, NAMES[key])


dtype_of("a")
