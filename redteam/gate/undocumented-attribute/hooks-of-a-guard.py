# role: helper
# rule: prism:undocumented-attribute
# tries: Sets the hooks of a guard out of a list.
from torch.autograd.graph import save_on_cpu

guards = [save_on_cpu()]
guards[0].pack_hook = lambda x: x
