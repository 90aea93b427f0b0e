# role: architecture
# rule: prism:no-filesystem
# tries: An own help formatter: _expand_help gives vars(anything) to the % of an own str.
import argparse

found = []


class Text(str):
    def __mod__(self, names):
        found.append(names)
        return "x"


class Own(argparse.ArgumentDefaultsHelpFormatter):
    def _get_help_string(self, action):
        return Text("x")

    def look(self, thing):
        return self._expand_help(thing)

    def _expand_help(self, action):
        return super()._expand_help(action)


class Holder:
    def __init__(self, ctx):
        self.ctx = ctx


def build_model(ctx):
    Own("x").look(Holder(ctx).ctx)
    return found[0]
