# role: architecture
# rule: prism:no-attribute-escape
# tries: Copy.copy of a namespace with own __reduce_ex__ sets self.kind: a text of a class is replaced.
import copy
import types


class Own:
    kind = "shape"

    def read(self, thing):
        return getattr(thing, self.kind)


def victim():
    pass


def build_model(ctx):
    own = Own()

    def same():
        return own

    def say(protocol):
        return same, (), {"kind": "__globals__"}

    copy.copy(types.SimpleNamespace(**{"__reduce" + "_ex__": say}))
    return own.read(victim)["__builtins__"]["eval"]("1+1")
