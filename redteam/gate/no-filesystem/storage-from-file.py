# role: helper
# rule: prism:no-filesystem | prism:no-torch-escape
# tries: Maps a file into a storage, through a class that is first put into a dict.
import torch

KINDS = {"raw": torch.UntypedStorage}


def table():
    return KINDS["raw"].from_file("/etc/hostname", False, 8)
