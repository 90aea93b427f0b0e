# role: helper
# rule: prism:no-attribute-escape
# tries: Takes the documentation of functions out of them with a pattern of match.
import torch


def texts():
    found = []
    for function in (torch.einsum, torch.nn.functional.conv2d, torch.nn.functional.ctc_loss):
        match function:
            case object(__doc__=str() as text):
                found.append(text)
    return found
