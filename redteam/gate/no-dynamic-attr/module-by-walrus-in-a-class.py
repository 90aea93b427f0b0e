# role: helper
# rule: prism:no-dynamic-attr
# tries: Binds torch as a class attribute with a walrus that stands alone.
import torch


class Block:
    (library := torch)

    def load(self):
        return self.library.hub.load
