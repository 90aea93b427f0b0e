# role: training
# rule: prism:no-harness-access
# tries: Calls build_model with an object of its own.
from architecture import build_model


class Fake:
    vocab_size = 3
    artifacts_dir = "/tmp"


def train(ctx):
    return build_model(Fake())
