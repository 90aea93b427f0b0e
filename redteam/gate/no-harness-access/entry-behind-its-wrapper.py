# role: training
# rule: prism:no-harness-access
# tries: Keeps `train` in an annotation of its wrapper.
kept = []


def keep(function):
    def wrapper(ctx: kept.append(function)):
        return function(ctx)

    return wrapper


@keep
def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
