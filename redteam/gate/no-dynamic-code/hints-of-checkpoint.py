# role: helper
# rule: prism:no-dynamic-code | prism:no-forbidden-import
# tries: Takes get_type_hints from a module of torch that imports everything of typing.
from torch.utils.checkpoint import get_type_hints


def other(value):
    return value


get_type_hints(other)
