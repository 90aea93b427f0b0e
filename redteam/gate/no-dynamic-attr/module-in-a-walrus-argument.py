# role: helper
# rule: prism:no-dynamic-attr
# tries: Hands torch on within a walrus within a call.
import torch


def use(library):
    return library.hub.load


class Caller:
    def run(self, function):
        return function((library := torch))


LOAD = Caller().run(use)
