# role: training
# rule: prism:no-harness-access
# tries: Calls the wrapper of `train` with another object before it is returned.
class Other:
    artifacts_dir = "/etc"


def swap(function):
    def wrapper(ctx):
        return function(ctx)

    wrapper(Other())
    return wrapper


@swap
def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
