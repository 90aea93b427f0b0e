# role: helper
# rule: prism:no-torch-escape
# tries: Binds a name two functions further out by nonlocal, past a function that lacks it.
import torch


def outer():
    t = None

    def middle():
        def inner():
            nonlocal t
            t = torch

        inner()

    middle()
    return t.hub.list("x")
