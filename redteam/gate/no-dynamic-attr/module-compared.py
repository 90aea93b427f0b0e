# role: helper
# rule: prism:no-dynamic-attr
# tries: Compares torch with an object whose __eq__ receives the module as its operand.
import torch


class Catcher:
    def __eq__(self, other):
        other.hub.load("owner/repository", "model")
        return True


def ready():
    return torch == Catcher()
