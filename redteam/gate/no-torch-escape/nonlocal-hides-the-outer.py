# role: helper
# rule: prism:no-torch-escape | prism:no-dynamic-attr
# tries: Has a nonlocal statement in an inner function make the name of the middle one look unknown.
import torch


def outer():
    library = torch

    def middle():
        def inner():
            nonlocal library
            library = None

        return library.hub.load, inner

    return middle()
