# role: training
# rule: prism:no-harness-access
# tries: Calls train out of a list.
class Fake:
    artifacts_dir = "/tmp"


def train(ctx):
    print(ctx.artifacts_dir)


[train][0](Fake())
