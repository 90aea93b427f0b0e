"""Two layers of LSTM."""

from torch import nn

WIDTH = 48


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.lstm = nn.LSTM(WIDTH, WIDTH, num_layers=2, batch_first=True)
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + self.lstm(x)[0]
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
