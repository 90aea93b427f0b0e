# role: helper
# rule: prism:no-deserialization | prism:no-attribute-escape
# tries: Packs activations by calling __reduce_ex__ by hand and rebuilds them by calling what it names.
from torch.autograd.graph import saved_tensors_hooks


def unpack(parts):
    return parts[0](*parts[1])


def smaller():
    return saved_tensors_hooks(lambda tensor: tensor.__reduce_ex__(2), unpack)
