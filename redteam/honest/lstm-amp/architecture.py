"""A two-layer nn.LSTM with dropout between the layers, weight-dropped embeddings, tied output."""

import torch
from torch import nn


class LSTMLanguageModel(nn.Module):
    def __init__(self, ntoken, ninp=96, nhid=96, nlayers=2, dropout=0.2):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid, nlayers, dropout=dropout, batch_first=True)
        self.decoder = nn.Linear(nhid, ntoken)
        if nhid != ninp:
            raise ValueError("When using the tied flag, nhid must be equal to emsize")
        self.decoder.weight = self.encoder.weight
        self.init_weights()

    def init_weights(self):
        initrange = 0.1
        nn.init.uniform_(self.encoder.weight, -initrange, initrange)
        nn.init.zeros_(self.decoder.bias)
        for name, p in self.rnn.named_parameters():
            if "bias_ih" in name:  # the forget gate starts open
                n = p.numel() // 4
                with torch.no_grad():
                    p[n : 2 * n].fill_(1.0)

    def init_hidden(self, bsz):
        weight = next(self.parameters())
        shape = (self.rnn.num_layers, bsz, self.rnn.hidden_size)
        return weight.new_zeros(shape), weight.new_zeros(shape)

    def forward(self, input):
        hidden = self.init_hidden(input.size(0))
        emb = self.drop(self.encoder(input))
        output, _ = self.rnn(emb, hidden)
        return self.decoder(self.drop(output))


def build_model(ctx):
    return LSTMLanguageModel(ctx.vocab_size)
