# role: helper
# rule: prism:no-dynamic-attr
# tries: Hands the class to an object by the index of an annotation.
import torch.nn.functional as F

kept = []


class Grab:
    def __getitem__(self, kind):
        kept.append(kind)
        return kind


grab = Grab()


class Store:
    def put(self, name, value):
        setattr(self, name, value)


def shown(store: grab[Store]):
    return store


kept[0].put(F, "relu", len)
