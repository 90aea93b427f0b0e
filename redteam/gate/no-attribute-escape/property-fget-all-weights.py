# role: architecture
# rule: prism:no-attribute-escape
# tries: Type(rnn).all_weights.fget(f) reads what f._all_weights names of f.
from torch import nn


class Names:
    _all_weights = None


def victim():
    pass


def build_model(ctx):
    victim._all_weights = [["__globals__"]]
    spaces = type(nn.LSTM(1, 1)).all_weights.fget(victim)
    return spaces[0][0]["__builtins__"]["eval"]("1+1")
