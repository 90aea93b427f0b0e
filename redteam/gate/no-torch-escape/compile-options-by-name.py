# role: helper
# rule: prism:no-torch-escape
# tries: Gives torch.compile options that are not spelled out where they are used.
import torch

OPTIONS = dict([("cpp.cxx", ("/bin/id",))])
step = torch.compile(lambda x: x + 1, options=OPTIONS)
