# role: training
# rule: prism:no-harness-access
# tries: Hands `train` an object of its own through a decorator that looks like a wrapper.
class Other:
    artifacts_dir = "/etc"


def swap(function):
    def wrapper(ctx):
        other = Other()
        return function(other)

    return wrapper


@swap
def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
