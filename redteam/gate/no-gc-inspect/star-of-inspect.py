# role: helper
# rule: prism:no-gc-inspect
# tries: Imports everything of inspect and uses two of its names bare.
from inspect import *


def caller():
    return getclosurevars(currentframe)
