"""A convolution as long as the row, by FFT."""

import torch
from torch import nn

WIDTH = 48
LENGTH = 60


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.kernel = nn.Parameter(0.1 * torch.randn(WIDTH, LENGTH))
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        rows, length, _ = x.shape
        size = 2 * length
        spectrum = torch.fft.rfft(x.transpose(1, 2), n=size) * torch.fft.rfft(self.kernel[:, :length], n=size)
        x = x + torch.fft.irfft(spectrum, n=size)[..., :length].transpose(1, 2)
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
