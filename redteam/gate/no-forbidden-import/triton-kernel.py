# role: architecture
# rule: prism:no-forbidden-import
# tries: Writes a kernel in triton, which compiles and loads native code.
import torch
from torch import nn
import triton as fast
from triton import language as tl


@fast.jit
def copy(source, target):
    tl.store(target, tl.load(source))


class Model(nn.Module):
    def __init__(self, vocab_size, width=64):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.mixer = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocab_size, bias=False)

    def forward(self, tokens):
        x, _ = self.mixer(self.embedding(tokens))
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
