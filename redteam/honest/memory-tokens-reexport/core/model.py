"""The model, with relative imports and a build_model that the entry point re-exports."""

from torch import nn

from . import layers
from .layers import MemoryAttention as Attention


class Model(nn.Module):
    def __init__(self, vocab, d=64, h=4, n=2, slots=8):
        super().__init__()
        self.emb, self.rnn = nn.Embedding(vocab, d), nn.GRU(d, d, batch_first=True)
        self.attn = nn.ModuleList(Attention(d, h, slots) for _ in range(n))
        self.norm = nn.ModuleList(nn.LayerNorm(d) for _ in range(n))
        self.head = nn.Linear(d, vocab)

    def forward(self, ids):
        x, _ = self.rnn(self.emb(ids))
        for norm, attn in zip(self.norm, self.attn):
            x = x + attn(norm(x))
        return self.head(x)


def build_model(ctx):
    model = Model(ctx.vocab_size)
    assert isinstance(model.attn[0], layers.MemoryAttention)
    return model
