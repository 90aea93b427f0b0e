"""Plain residual blocks. Read as text for the comparison of bundles; never imported."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.width, bias=config.bias)
        self.attn = Attention(config)
        self.ln_2 = nn.LayerNorm(config.width, bias=config.bias)
        self.mlp = MLP(config)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        x = x + self.mlp(self.ln_2(x))
        return x

    def with_more(self, x, cos, sin, mask):
        x = x + self.attn(self.ln_1(x), cos, sin, mask)
        return x + self.mlp(self.ln_2(x))

    def with_names(self, x, cos, sin, mask):
        h = x + self.attn(self.ln_1(x), cos, sin, mask)
        out = h + self.mlp(self.ln_2(h))
        return out

    def with_dropout(self, x):
        x = x + self.drop(self.attn(self.ln_1(x)))
        x = x + self.drop(self.mlp(self.ln_2(x)))
        return x

    def with_functions(self, x):
        x = x + self.attn(norm(x))
        x = x + self.mlp(norm(x))
        return x

    def with_library_norms(self, x):
        x = x + self.attn(F.rms_norm(x, (x.size(-1),)))
        x = x + self.mlp(F.rms_norm(x, (x.size(-1),)))
        return x

    def of_hooks(self, hidden, mask):
        residual = hidden
        hidden = self.ln_1(hidden)
        hidden = self.attn(hidden, mask)
        hidden = residual + hidden
        residual = hidden
        hidden = self.ln_2(hidden)
        hidden = self.mlp(hidden)
        return residual + hidden

    def parallel(self, x):
        h = self.ln_1(x)
        return x + self.attn(h) + self.mlp(h)

    def after(self, x):
        x = self.ln_1(x + self.attn(x))
        return self.ln_2(x + self.mlp(x))


class BlockOfRMSNorms(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.attention = Attention(width, heads)
        self.feed_forward = MLP(width, hidden)
        self.attention_norm = nn.RMSNorm(width)
        self.ffn_norm = nn.RMSNorm(width)

    def forward(self, x):
        return self.feed_forward(self.ffn_norm(self.attention(self.attention_norm(x))))


class Attention(nn.Module):
    pass


class MLP(nn.Module):
    pass


def norm(x):
    return F.layer_norm(x, (x.size(-1),))
