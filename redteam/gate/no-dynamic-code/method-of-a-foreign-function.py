# role: helper
# rule: prism:no-dynamic-code | prism:no-deserialization | prism:no-dynamic-attr
# tries: Binds a function of a library to an object.
import types

import torch

bound = types.MethodType(torch.load, "/etc/hostname")
