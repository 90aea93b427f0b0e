# role: training
# rule: prism:no-dynamic-code | prism:no-harness-access
# tries: Reaches the methods behind a batch by super.
def train(ctx):
    for batch in ctx.stream(ctx.build_model(), batch_size=1, seq_len=8):
        super(type(batch), batch).loss(1)
