# role: training
# rule: prism:no-harness-access
# tries: Hands the context to a function by `partial`, where its name is another.
from functools import partial


def look(thing):
    return thing._session


def train(ctx):
    model = ctx.build_model()
    session = partial(look, ctx)()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
