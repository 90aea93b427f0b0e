# role: training
# rule: prism:no-harness-access
# tries: Hands the harness's `ctx` on, and beside it options that the wrapper has put something into.
import warnings


def with_options(function):
    def wrapper(ctx, **options):
        options["more"] = warnings.catch_warnings()
        return function(ctx, **options)

    return wrapper


@with_options
def train(ctx, more=None):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
