# role: helper
# rule: prism:no-threads | prism:no-torch-escape
# tries: Uses the threading that torch.cuda keeps.
from torch import cuda


def begin():
    cuda.threading.Timer(1.0, print).start()
