# role: architecture
# rule: prism:no-attribute-escape
# tries: Torch's lazy_property sets an attribute by the name of its function: a text of a class is replaced.
from torch.distributions.utils import lazy_property


def choose(own):
    return "__globals__"


choose.__name__ = "kind"


def victim():
    pass


class Own:
    kind = "shape"
    trick = lazy_property(choose)

    def read(self, thing):
        return getattr(thing, self.kind)


def build_model(ctx):
    own = Own()
    own.trick
    return own.read(victim)["__builtins__"]["eval"]("1+1")
