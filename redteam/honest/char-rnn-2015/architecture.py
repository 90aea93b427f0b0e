"""
Minimal character-level Vanilla RNN model, the forward pass of every step written out by hand.

    h_t = tanh(Wxh x_t + Whh h_{t-1} + bh),   y_t = Why h_t + by
"""
from __future__ import absolute_import, division, print_function

import numpy as np
import torch

# hyperparameters
hidden_size = 100  # size of hidden layer of neurons


class VanillaRNN(torch.nn.Module):

    def __init__(self, vocab_size, hidden_size):
        torch.nn.Module.__init__(self)
        rng = np.random.RandomState(0)
        def weight(*shape): return torch.nn.Parameter(torch.tensor(rng.randn(*shape) * 0.01, dtype=torch.float32))
        self.vocab_size = vocab_size
        self.Wxh = weight(vocab_size, hidden_size)  # input to hidden
        self.Whh = torch.nn.Parameter(torch.eye(hidden_size) * 0.9)  # hidden to hidden
        self.Why = weight(hidden_size, vocab_size)  # hidden to output
        self.bh = torch.nn.Parameter(torch.zeros(hidden_size))  # hidden bias
        self.by = torch.nn.Parameter(torch.zeros(vocab_size))  # output bias

    def forward(self, inputs):
        hs, ys = {}, []
        hs[-1] = torch.zeros(inputs.size(0), self.bh.numel(), device=inputs.device)
        for t in range(inputs.size(1)):
            x = self.Wxh[inputs[:, t]]  # what a one-hot product would give
            hs[t] = torch.tanh(x + hs[t - 1].mm(self.Whh) + self.bh)
            ys.append(hs[t].mm(self.Why) + self.by)  # unnormalized log probabilities
        return torch.stack(ys, dim=1)


def build_model(ctx):
    return VanillaRNN(ctx.vocab_size, hidden_size)
