# role: architecture
# rule: prism:no-attribute-escape
# tries: The property of a class that came out of a ParameterDict.
from torch import nn


def victim():
    pass


class Own(nn.LSTM):
    def names(self, names):
        self._all_weights = [names]
        return self


def build_model(ctx):
    kind = Own(1, 1).names(["__class__"]).all_weights[0][0]
    victim._all_weights = [["__globals__"]]
    return kind.all_weights.fget(victim)[0][0]["__builtins__"]["eval"]("1+1")
