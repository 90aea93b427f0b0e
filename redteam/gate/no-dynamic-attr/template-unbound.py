# role: helper
# rule: prism:no-dynamic-attr
# tries: Calls format as a function of the class with a template that is put together at run time.
import torch


def text():
    return str.format("{0.#doc#}".replace("#", "_" * 2), torch.nn.LSTM)
