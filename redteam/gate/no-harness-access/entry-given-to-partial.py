# role: training
# rule: prism:no-harness-access
# tries: Has a library's function hand `train` to one of its own.
from functools import partial


class Other:
    artifacts_dir = "/etc"


def call(other, function):
    function(other)
    return function


@partial(call, Other())
def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
