# role: helper
# rule: prism:no-network | prism:no-torch-escape | prism:no-forbidden-import
# tries: Reaches torch.distributed.rpc through the module of an optimizer that imports it.
from torch.distributed import optim

START = optim.optimizer.rpc.init_rpc
