# role: architecture
# rule: prism:no-dynamic-attr
# tries: Dataclasses.asdict deep-copies a bound method.
import dataclasses

import torch.nn.functional as F


class Own:
    def __init__(self, other):
        self.other = other

    def __deepcopy__(self, memo):
        return self.other

    def read(self):
        return vars(self)


@dataclasses.dataclass
class Holder:
    look: object


def names_of(thing):
    return dataclasses.asdict(Holder(Own(thing).read))["look"]()


def build_model(ctx):
    return names_of(names_of(F)["torch"])["os"].getpid()
