# role: training
# rule: prism:no-harness-access
# tries: Hands `train` to a function that the maker of its decorator is given.
class Other:
    artifacts_dir = "/etc"


def call(function):
    function(Other())
    return function


def around(change):
    def decorate(function):
        return change(function)

    return decorate


@around(call)
def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
