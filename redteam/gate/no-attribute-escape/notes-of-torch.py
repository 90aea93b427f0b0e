# role: helper
# rule: prism:no-attribute-escape
# tries: Reads the pieces of text from which torch puts its documentation together.
import torch.nn.functional as F


def texts():
    return list(F.reproducibility_notes.values()) + list(F.sparse_support_notes.values())
