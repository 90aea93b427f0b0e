# role: helper
# rule: prism:no-filesystem
# tries: Keeps `None` under a name and puts an array there through the dictionary.
import numpy as np


class Own:
    def tofile(self, path):
        pass


class Keep:
    def __init__(self, **given):
        self.t = None
        self.__dict__.update(given)


Keep(t=np.arange(3)).t.tofile("/tmp/x.bin")
