"""A small recurrent model whose settings pass through enums, dispatch, fractions and chain maps."""

import torch
from torch import nn

import util
from util import Flag, Version, settings, size_of


class PairMixer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.cell = nn.GRU(width, width, batch_first=True)
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        return x + self.cell(self.norm(x))[0]


class Model(nn.Module):
    def __init__(self, vocab, config, flags=Flag.BOTH):
        super().__init__()
        width = size_of(config["width"])
        self.emb = nn.Embedding(vocab, width)
        self.wide = nn.Linear(width, size_of(config["ratio"]))
        self.back = nn.Linear(size_of(config["ratio"]), width)
        self.mixers = nn.Sequential(*(PairMixer(width) for _ in range(config["depth"])))
        self.head = nn.Linear(width, vocab)
        if Flag.TIED in flags:
            self.head.weight = self.emb.weight
        self.normed = bool(flags & Flag.NORMED)
        printable = torch.tensor([float(i in util.PRINTABLE) for i in range(vocab)])
        self.head.bias.data.copy_(printable - 1)
        nn.init.normal_(self.emb.weight, std=0.05)

    def forward(self, ids):
        x = self.mixers(self.emb(ids))
        x = x + self.back(torch.relu(self.wide(x)))
        return self.head(nn.functional.layer_norm(x, x.shape[-1:]) if self.normed else x)


def build_model(ctx):
    if Version(torch.__version__) < Version("2.0"):
        raise RuntimeError(f"torch {torch.__version__} is too old")
    config = settings(width=56)
    print(util.banner(config))
    return Model(ctx.vocab_size, config)
