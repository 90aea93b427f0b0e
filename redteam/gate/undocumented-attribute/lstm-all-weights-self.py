# role: architecture
# rule: prism:undocumented-attribute
# tries: Rnn.all_weights reads any attribute of rnn by own names.
from torch import nn


class Own(nn.LSTM):
    def look(self, name):
        self._all_weights = [[name]]
        return self.all_weights[0][0]


def build_model(ctx):
    return Own(1, 1).look("__cl" + "ass__")("x") if False else Own(1, 1).look("__di" + "ct__")["training"]
