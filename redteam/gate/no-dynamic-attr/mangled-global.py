# role: helper
# rule: prism:no-dynamic-attr
# tries: Imports torch under a mangled global name in a method and uses its other name outside.
class Block:
    def prepare(self):
        global __library
        import torch as __library


Block().prepare()
LOAD = _Block__library.hub.load
