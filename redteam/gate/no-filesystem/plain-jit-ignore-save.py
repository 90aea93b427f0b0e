# role: architecture
# rule: prism:no-filesystem
# tries: `torch.jit` calls an ignored method with its own module, whose `save` writes any file.

import torch
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x)

    def save(self, path: str):
        pass

    @torch.jit.ignore
    def keep(self, path: str):
        self.save(path)


def run():
    scripted = torch.jit.script(Small())
    scripted.keep("/etc/hostname")
    return True


from torch import nn


class Net(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.emb = nn.Embedding(vocab, 64)
        self.out = nn.Linear(64, vocab)

    def forward(self, tokens):
        return self.out(self.emb(tokens))


def build_model(ctx):
    run()
    return Net(ctx.vocab_size)


