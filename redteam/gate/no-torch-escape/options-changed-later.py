# role: helper
# rule: prism:no-torch-escape
# tries: Changes a table of options after it was checked.
import torch

OPTIONS = {"max_autotune": True}
OPTIONS["cpp.cxx"] = ("/bin/false",)
fast = torch.compile(lambda x: x, options=OPTIONS)
