# role: helper
# rule: prism:no-dynamic-attr
# tries: Puts a module of the bundle into a subscript.
import architecture


class Table:
    def __getitem__(self, key):
        return key.nn.modules


NAMES = Table()[architecture]
