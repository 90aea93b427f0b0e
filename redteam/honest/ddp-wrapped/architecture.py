"""Synthesizer-free baseline: a post-norm transformer, sinusoidal positions, for data-parallel training."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, max_len=1024):
        super(PositionalEncoding, self).__init__()
        pe = torch.zeros(max_len, d_model)
        position = torch.arange(0, max_len, dtype=torch.float).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(10000.0) / d_model))
        pe[:, 0::2] = torch.sin(position * div_term)
        pe[:, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe.unsqueeze(0), persistent=False)

    def forward(self, x):
        return x + self.pe[:, : x.size(1)]


class TransformerModel(nn.Module):
    def __init__(self, ntoken, ninp=64, nhead=4, nhid=128, nlayers=2):
        super(TransformerModel, self).__init__()
        self.model_type = "Transformer"
        self.src_mask = None
        self.pos_encoder = PositionalEncoding(ninp)
        self.input_emb = nn.Embedding(ntoken, ninp)
        layers = [
            nn.TransformerEncoderLayer(ninp, nhead, nhid, 0.0, batch_first=True)
            for _ in range(nlayers)
        ]
        self.layers = nn.ModuleList(layers)
        self.ninp = ninp
        self.decoder = nn.Linear(ninp, ntoken)
        self.init_weights()

    def _generate_square_subsequent_mask(self, sz):
        return torch.log(torch.tril(torch.ones(sz, sz)))

    def init_weights(self):
        initrange = 0.1
        nn.init.uniform_(self.input_emb.weight, -initrange, initrange)
        nn.init.zeros_(self.decoder.bias)
        nn.init.uniform_(self.decoder.weight, -initrange, initrange)

    def forward(self, src, has_mask=True):
        if has_mask:
            device = src.device
            if self.src_mask is None or self.src_mask.size(0) != src.size(1):
                self.src_mask = self._generate_square_subsequent_mask(src.size(1)).to(device)
        out = self.pos_encoder(self.input_emb(src) * math.sqrt(self.ninp))
        for layer in self.layers:
            out = layer(out, src_mask=self.src_mask)
        return self.decoder(F.layer_norm(out, out.shape[-1:]))


def build_model(ctx):
    return TransformerModel(ctx.vocab_size)
