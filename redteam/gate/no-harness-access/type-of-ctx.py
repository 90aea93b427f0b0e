# role: training
# rule: prism:no-harness-access
# tries: Takes the class of ctx.
def train(ctx):
    kind = type(ctx)
    print(kind)
