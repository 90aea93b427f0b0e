# role: training
# rule: prism:no-harness-access
# tries: Makes `train` a class, whose initialiser is given the context.
class train:
    def __init__(self, ctx):
        model = ctx.build_model()
        print(ctx.everything)
        for batch in ctx.stream(model, batch_size=32, seq_len=256):
            batch.loss(model(batch.inputs)).backward()
