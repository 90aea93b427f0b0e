# role: helper
# rule: prism:no-dynamic-attr
# tries: Takes the method that fills a template out of the text with a pattern of match.
import torch


def text():
    match "".join(["{0.", "_" * 2, "doc", "_" * 2, "}"]):
        case str(format=fill):
            return fill(torch.nn.LSTM)
