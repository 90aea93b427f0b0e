# role: helper
# rule: prism:undocumented-attribute | prism:no-torch-escape | prism:no-forbidden-import | prism:no-dynamic-attr | prism:no-attribute-escape
# tries: The name comes as a keyword.
import torch


def dtype_of(size, name="float32"):
    return getattr(torch, name)


dtype_of(3, name="hub")
