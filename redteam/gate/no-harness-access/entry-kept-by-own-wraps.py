# role: training
# rule: prism:no-harness-access
# tries: Keeps `train` in a method of its own that is called `wraps`.
class Keeper:
    def wraps(self, function):
        self.kept = function


keeper = Keeper()


def keep(function):
    keeper.wraps(function)

    def wrapper(ctx):
        return function(ctx)

    return wrapper


@keep
def train(ctx):
    model = ctx.build_model()
    for batch in ctx.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
