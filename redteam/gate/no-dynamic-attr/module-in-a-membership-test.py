# role: helper
# rule: prism:no-dynamic-attr
# tries: Asks an object whether it contains torch, so that __contains__ receives the module.
import torch


class Registry:
    def __contains__(self, item):
        item.hub.load("owner/repository", "model")
        return True


KNOWN = torch in Registry()
