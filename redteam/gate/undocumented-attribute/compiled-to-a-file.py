# role: helper
# rule: prism:undocumented-attribute
# tries: Writes a compiled function.
import torch

fast = torch.compile(lambda x: x)
made = fast.aot_compile(((torch.ones(2),), {}))
