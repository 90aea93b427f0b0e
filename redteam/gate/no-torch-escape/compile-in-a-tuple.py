# role: helper
# rule: prism:undocumented-attribute | prism:no-torch-escape | prism:no-forbidden-import | prism:no-dynamic-attr | prism:no-attribute-escape
# tries: Calls torch.compile out of a tuple.
import torch

(fast, _) = (torch.compile, 1)
made = (torch.compile,)[0](lambda x: x, backend="my_backend")
