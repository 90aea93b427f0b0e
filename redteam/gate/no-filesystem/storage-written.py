# role: helper
# rule: prism:no-filesystem
# tries: Writes a tensor's storage to a file by a private method.
import torch


def keep(file):
    torch.zeros(4).untyped_storage()._write_file(file, True, True, 1)
