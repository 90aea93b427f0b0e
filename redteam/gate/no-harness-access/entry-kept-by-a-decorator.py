# role: training
# rule: prism:no-harness-access
# tries: Keeps `train` by a decorator, to call it with something else.
kept = []


def keep(function):
    kept.append(function)
    return function


@keep
def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
