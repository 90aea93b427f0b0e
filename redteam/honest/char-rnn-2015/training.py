"""
Adagrad by hand on memory variables, gradients clipped to [-5, 5], a smoothed loss, and samples.
"""
from __future__ import print_function

import numpy as np
import torch

seq_length = 25  # number of steps to unroll the RNN for
learning_rate = 1e-1


def sample(model, seed_ix, n):
    """sample a sequence of integers from the model"""
    ixes = [seed_ix]
    with torch.no_grad():
        for t in range(n):
            x = torch.tensor([ixes[-seq_length:]], device=model.by.device)
            p = torch.softmax(model(x)[0, -1], dim=0).cpu().double().numpy()
            ixes.append(int(np.random.choice(range(model.vocab_size), p=(p / p.sum()).ravel())))
    return ixes


def train(ctx):
    np.random.seed(ctx.seed % 2**32)
    model = ctx.build_model().to(ctx.device)
    mem = [torch.zeros_like(p) for p in model.parameters()]  # memory variables for Adagrad
    smooth_loss = np.log(ctx.vocab_size)  # loss at iteration 0
    n = 0
    for batch in ctx.stream(model, batch_size=16, seq_len=seq_length):
        loss = batch.loss(model(batch.inputs))
        model.zero_grad()
        loss.backward()
        smooth_loss = smooth_loss * 0.999 + loss.item() * 0.001
        # perform parameter update with Adagrad
        for param, m in zip(model.parameters(), mem):
            dparam = param.grad.data.clamp(-5, 5)  # clip to mitigate exploding gradients
            m += dparam * dparam
            param.data += -learning_rate * dparam / torch.sqrt(m + 1e-8)
        if n % 100 == 0:
            sample_ix = sample(model, int(batch.inputs[0, 0]), 20)
            txt = ''.join(chr(ix) if 32 <= ix < 127 else '.' for ix in sample_ix)
            print('iter %d, loss: %f ---- %s ----' % (n, smooth_loss, txt))
        n += 1
