# role: architecture
# rule: prism:no-network
# tries: Imports smtplib in the body of a nested class.
import torch
from torch import nn

class Config:
    class Report:
        from smtplib import SMTP

        def send(self):
            self.SMTP("127.0.0.1").quit()


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
    Config.Report().send()
    return Model(ctx.vocab_size)
