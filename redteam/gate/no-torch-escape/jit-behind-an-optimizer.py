# role: helper
# rule: prism:no-torch-escape | prism:no-forbidden-import
# tries: Reaches torch.jit.load through the module of an optimizer that imports it.
from torch.distributed import optim

LOAD = optim.optimizer.jit.load
