# role: training
# rule: prism:no-harness-access
# tries: Hands the harness's `ctx` on, and beside it a default, which no call of `train` shows.
import warnings


def with_more(function):
    def wrapper(ctx, more=warnings.catch_warnings()):
        return function(ctx, more)

    return wrapper


@with_more
def train(ctx, more=None):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
