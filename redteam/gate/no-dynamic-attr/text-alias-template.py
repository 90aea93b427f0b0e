# role: architecture
# rule: prism:no-dynamic-attr
# tries: Typing.Text is str: str(x) gives an object of an own class to a template.
from typing import Text


def victim():
    pass


class Own(Text):
    thing = None


class Says:
    def __str__(self):
        own = Own("x")
        own.thing = victim
        return own


def build_model(ctx):
    template = "".join(["{0.thing.__glo", "bals__[__bui", "ltins__][eval]}"])
    return template.format(str(Says()))
