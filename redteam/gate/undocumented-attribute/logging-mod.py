# role: architecture
# rule: prism:undocumented-attribute
# tries: A Formatter's text is a str of the bundle whose % is given the dictionary of anything.
import logging

import torch.nn.functional as F

found = []


class Text(str):
    def __mod__(self, names):
        found.append(names)
        return "x"


def names_of(thing):
    logging.Formatter(Text("%(message)s")).formatMessage(thing)
    return found.pop()


def build_model(ctx):
    torch = names_of(F)["torch"]
    return names_of(torch)["os"].getpid()
