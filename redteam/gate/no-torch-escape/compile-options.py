# role: helper
# rule: prism:no-torch-escape
# tries: Gives torch.compile options that name the compiler to run.
import torch

step = torch.compile(lambda x: x + 1, options={"cpp.cxx": ("/bin/id",)})
