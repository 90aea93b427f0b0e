# role: helper
# rule: prism:no-dynamic-attr
# tries: Reads documentation with a template of str.format whose field is put together at run time.
import torch


def texts(layers=(torch.nn.LSTM, torch.nn.GRU)):
    template = "{0._%sdoc_%s}" % ("_", "_")
    return [template.format(layer) for layer in layers]
