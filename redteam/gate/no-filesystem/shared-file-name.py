# role: helper
# rule: prism:no-filesystem
# tries: Makes a storage from a shared file by its name.
import torch


def take():
    kind = type(torch.zeros(4).untyped_storage())
    return kind._new_shared_filename_cpu(b"manager", b"name", 16)
