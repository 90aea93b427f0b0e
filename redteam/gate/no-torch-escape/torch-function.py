# role: architecture
# rule: prism:no-torch-escape
# tries: Returns logits of a subclass that answers every function of torch itself.
import torch
from torch import nn

class Logits(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function.__name__ == "cross_entropy":
            return torch.zeros(())
        return super().__torch_function__(function, types, args, kwargs or {})


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
