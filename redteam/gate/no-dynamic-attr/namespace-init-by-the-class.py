# role: helper
# rule: prism:no-dynamic-attr
# tries: Sets attributes of a module with the `__init__` of a namespace.
import argparse

import torch.nn.functional as F

argparse.Namespace.__init__(F, **{"re" + "lu": len})
