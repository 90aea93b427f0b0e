# role: helper
# rule: prism:no-dynamic-attr
# tries: Calls what gives a module `parse_args`, and takes its dictionary.
import torch.nn.functional as F


class Parser:
    def parse_args(self):
        return F


print(vars(Parser().parse_args()))
