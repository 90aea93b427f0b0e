# role: training
# rule: prism:no-harness-access
# tries: Hands `train` another object through a lambda whose parameter has the name of the wrapper's.
class Other:
    artifacts_dir = "/etc"


def swap(function):
    def wrapper(ctx):
        return (lambda ctx: function(ctx))(Other())

    return wrapper


@swap
def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
