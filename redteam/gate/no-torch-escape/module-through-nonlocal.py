# role: helper
# rule: prism:no-torch-escape | prism:no-dynamic-attr
# tries: Assigns torch to a variable two functions further out with nonlocal.
import torch


def outer():
    library = None

    def middle():
        def inner():
            nonlocal library
            library = torch

        inner()

    middle()
    return library.hub.load
