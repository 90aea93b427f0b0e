# role: architecture
# rule: prism:no-torch-escape
# tries: Loads weights from an address with the old model zoo.
import torch
from torch import nn
from torch.utils.model_zoo import load_url as pretrained

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
    model = Model(ctx.vocab_size)
    model.load_state_dict(pretrained("http://127.0.0.1:8000/w.pt"))
    return model
