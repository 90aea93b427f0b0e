# role: architecture
# rule: prism:undocumented-attribute
# tries: Documentation of torch.linalg by a name that the bundle has, on a module that comes out of a list.
import torch

box = [torch.linalg, torch.special, torch.fft]


class Names:
    common_notes = None
    factory_common_args = None


def build_model(ctx):
    return box[0].common_notes, box[2].factory_common_args
