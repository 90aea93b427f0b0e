"""A fast weight for each row, trained inside the forward from token to token."""

import torch
from torch import nn

WIDTH = 48


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.start = nn.Parameter(torch.zeros(WIDTH, WIDTH))
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        outputs = []
        with torch.enable_grad():
            fast = self.start.expand(len(x), -1, -1)
            for at in range(x.shape[1]):
                token = x[:, at]
                outputs.append((fast @ token[..., None]).squeeze(-1))
                inner = fast.detach().requires_grad_()
                error = (torch.tanh(inner @ token.detach()[..., None]).squeeze(-1) - token.detach()).square().sum()
                (slope,) = torch.autograd.grad(error, inner)
                fast = fast - 0.1 * slope
        x = x + torch.stack(outputs, 1)
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
