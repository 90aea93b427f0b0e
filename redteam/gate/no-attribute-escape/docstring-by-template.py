# role: helper
# rule: prism:no-attribute-escape
# tries: Has str.format write the documentation of torch's layers out.
import torch


def texts():
    return ["{0.__doc__}".format(layer) for layer in (torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN)]
