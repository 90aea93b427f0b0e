# role: helper
# rule: prism:no-dynamic-attr | prism:undocumented-attribute
# tries: A private class method of a storage by a literal name.
import torch

kind = type(torch.zeros(1).untyped_storage())
made = getattr(kind, "_new_using_fd_cpu")(16)
