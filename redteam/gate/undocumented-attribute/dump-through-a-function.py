# role: helper
# rule: prism:no-deserialization | prism:undocumented-attribute
# tries: Hands an array to a function that dumps.
import numpy as np


class Meter:
    def dump(self):
        return 1


def finish(meter):
    return meter.dump("/tmp/x")


finish(np.arange(3))
