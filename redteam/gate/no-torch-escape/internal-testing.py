# role: helper
# rule: prism:no-torch-escape
# tries: Takes a helper out of torch's own tests, which start processes and write files.
import torch.testing as checks


def spare_port():
    return checks._internal.common_utils.find_free_port()
