# role: training
# rule: prism:no-forbidden-import | prism:no-dynamic-code
# tries: Runs a string in the profiler, imported in a branch that only runs on the learner.
import torch

if torch.cuda.is_available() or True:
    import cProfile as timer


def train(ctx):
    timer.run("print('x')")
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
