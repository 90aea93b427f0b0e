# role: helper
# rule: prism:no-torch-escape | prism:no-forbidden-import
# tries: Takes the class of dispatch modes from a module that imports it.
from torch.utils.checkpoint import TorchDispatchMode

Base = TorchDispatchMode
