# role: training
# rule: prism:no-harness-access
# tries: Hands `train` an object of its own through a decorator that a function makes.
class Other:
    artifacts_dir = "/etc"


def swap(label):
    def decorate(function):
        def wrapper(ctx):
            print(label)
            return function(Other())

        return wrapper

    return decorate


@swap("steps")
def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
