# role: helper
# rule: prism:no-dynamic-attr
# tries: Binds torch as a class attribute with a walrus in the default of a method.
import torch


class Block:
    def load(self, other=(library := torch)):
        return self.library.hub.load
