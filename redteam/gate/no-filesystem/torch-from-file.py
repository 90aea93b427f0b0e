# role: helper
# rule: prism:no-filesystem | prism:no-torch-escape
# tries: Maps a file into a tensor.
import torch


def table():
    return torch.from_file("/etc/hostname", shared=False, size=8, dtype=torch.uint8)
