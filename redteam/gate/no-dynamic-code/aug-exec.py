# role: training
# rule: prism:no-dynamic-code
# tries: NAME += x reads NAME and hands it to x.__radd__, but counts as a store only.
class Grab:
    def __init__(self):
        self.got = None

    def __radd__(self, other):
        self.got = other
        return other


def train(ctx):
    taken.got("print('out')")


taken = Grab()
exec += taken
