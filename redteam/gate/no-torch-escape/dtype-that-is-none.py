# role: helper
# rule: prism:undocumented-attribute | prism:no-torch-escape | prism:no-forbidden-import | prism:no-dynamic-attr | prism:no-attribute-escape | prism:no-deserialization
# tries: A dtype by its name, which is the loader.
import torch


def dtype_of(name):
    return getattr(torch, name)


dtype_of("load")("/etc/hostname")
