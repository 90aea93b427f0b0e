# role: helper
# rule: prism:no-threads | prism:no-forbidden-import
# tries: Takes ContextVar from a module of torch that imports it.
from torch.nn.attention import ContextVar

STATE = ContextVar("state")
