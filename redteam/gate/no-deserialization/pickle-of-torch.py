# role: helper
# rule: prism:no-deserialization | prism:no-torch-escape
# tries: Uses the pickle that torch.serialization keeps.
import torch


def order(data):
    return torch.serialization.pickle.loads(data)
