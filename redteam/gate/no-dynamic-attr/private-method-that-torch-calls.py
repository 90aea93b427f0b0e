# role: helper
# rule: prism:no-dynamic-attr
# tries: Overrides a private method of a module, which torch calls with a prefix.
from torch import nn


def probe():
    return 0


class Net(nn.Module):
    def _named_members(self, get_members_fn, prefix="__name__", recurse=True, remove_duplicate=True):
        yield "x", getattr(probe, prefix)


name, value = next(Net().named_parameters("".join(["__glo", "bals__"])))
