# role: training
# rule: prism:no-harness-access
# tries: Takes the batch by next and iter and reads a private attribute of the result.
import torch


def train(ctx):
    model = ctx.build_model()
    stream = ctx.stream(model, batch_size=16, seq_len=256)
    print(next(iter(stream))._vocab_size)
