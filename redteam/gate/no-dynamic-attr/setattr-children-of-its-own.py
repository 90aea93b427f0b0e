# role: helper
# rule: prism:no-dynamic-attr
# tries: Gives an object a `named_children` that names what it likes, and sets that.
import logging


def filled(target, pairs):
    target.named_children = lambda: pairs
    for name, value in target.named_children():
        setattr(target, name, value)


filled(logging.Formatter(), [("_" + "fmt", "x")])
