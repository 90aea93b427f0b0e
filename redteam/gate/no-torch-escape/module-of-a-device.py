# role: helper
# rule: prism:no-torch-escape
# tries: Asks torch for the module of a device and reaches os through it.
import torch


def listing():
    return torch.get_device_module("cuda").os.listdir("/")
