# role: helper
# rule: prism:no-gc-inspect | prism:no-forbidden-import
# tries: Takes a weak dictionary from a module of torch that imports it.
from torch.autograd.graph import WeakValueDictionary

FOUND = WeakValueDictionary()
