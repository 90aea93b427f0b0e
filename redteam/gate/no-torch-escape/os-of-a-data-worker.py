# role: helper
# rule: prism:no-torch-escape | prism:no-process
# tries: Walks through the private modules of torch.utils.data.
from torch.utils.data import _utils as tools


def pid():
    return tools.worker.os.getpid()
