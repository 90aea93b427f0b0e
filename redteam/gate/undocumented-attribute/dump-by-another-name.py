# role: helper
# rule: prism:no-deserialization | prism:undocumented-attribute
# tries: Calls the function that dumps under another name.
import numpy as np


class Meter:
    def dump(self):
        return 1


def finish(meter):
    return meter.dump("/tmp/x")


again = finish
again(np.arange(3))
