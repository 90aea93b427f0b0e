"""RWKV-like: token shift, a WKV recurrence with per-channel decay, squared-ReLU channel mixing.

    wkv_t = Σ_{i<t} e^{-(t-1-i)w + k_i} v_i + e^{u + k_t} v_t  /  the same sum without v
computed in log space with a running maximum, so that nothing overflows.
"""

import types

import torch
import torch.nn as nn
from torch.nn import functional as F

args = types.SimpleNamespace()
args.n_embd = 64
args.n_layer = 2


class RWKV_TimeMix(nn.Module):
    def __init__(self, args, layer_id):
        super().__init__()
        d = args.n_embd
        ratio = 1.0 - layer_id / args.n_layer
        ddd = torch.arange(d).float().div(d).view(1, 1, d)
        self.time_decay = nn.Parameter(torch.linspace(-5, 1, d))
        self.time_first = nn.Parameter(torch.full((d,), -1.2))
        self.time_mix_k = nn.Parameter(torch.pow(ddd, ratio))
        self.time_mix_v = nn.Parameter(torch.pow(ddd, ratio) + 0.3 * (1 - ratio))
        self.time_mix_r = nn.Parameter(torch.pow(ddd, 0.5 * ratio))
        self.time_shift = nn.ZeroPad2d((0, 0, 1, -1))
        self.key, self.value, self.receptance = (nn.Linear(d, d, bias=False) for _ in range(3))
        self.output = nn.Linear(d, d, bias=False)

    def forward(self, x):
        xx = self.time_shift(x)
        xk = x * self.time_mix_k + xx * (1 - self.time_mix_k)
        xv = x * self.time_mix_v + xx * (1 - self.time_mix_v)
        xr = x * self.time_mix_r + xx * (1 - self.time_mix_r)
        k, v, r = self.key(xk), self.value(xv), torch.sigmoid(self.receptance(xr))
        w, u = torch.exp(self.time_decay), self.time_first
        aa = bb = torch.zeros_like(x[:, 0])
        pp = torch.full_like(aa, -1e38)
        out = []
        for t in range(x.shape[1]):
            kt, vt = k[:, t], v[:, t]
            ww = u + kt
            qq = torch.maximum(pp, ww)
            e1, e2 = torch.exp(pp - qq), torch.exp(ww - qq)
            out.append((e1 * aa + e2 * vt) / (e1 * bb + e2))
            ww = pp - w
            qq = torch.maximum(ww, kt)
            e1, e2 = torch.exp(ww - qq), torch.exp(kt - qq)
            aa, bb, pp = e1 * aa + e2 * vt, e1 * bb + e2, qq
        return self.output(r * torch.stack(out, 1))


class RWKV_ChannelMix(nn.Module):
    def __init__(self, args, layer_id):
        super().__init__()
        d = args.n_embd
        self.mix = nn.Parameter(torch.full((2, d), 0.5))
        self.key = nn.Linear(d, 3 * d, bias=False)
        self.receptance = nn.Linear(d, d, bias=False)
        self.value = nn.Linear(3 * d, d, bias=False)

    def forward(self, x):
        xx = F.pad(x, (0, 0, 1, -1))
        mk, mr = self.mix
        k = torch.square(torch.relu(self.key(xx + mk * (x - xx))))
        return torch.sigmoid(self.receptance(xx + mr * (x - xx))) * self.value(k)


class Block(nn.Module):
    def __init__(self, args, layer_id):
        super().__init__()
        self.layer_id = layer_id
        if self.layer_id == 0:
            self.ln0 = nn.LayerNorm(args.n_embd)
        self.ln1 = nn.LayerNorm(args.n_embd)
        self.ln2 = nn.LayerNorm(args.n_embd)
        self.att = RWKV_TimeMix(args, layer_id)
        self.ffn = RWKV_ChannelMix(args, layer_id)

    def forward(self, x):
        if self.layer_id == 0:
            x = self.ln0(x)
        x = x + self.att(self.ln1(x))
        return x + self.ffn(self.ln2(x))


class RWKV(nn.Module):
    def __init__(self, args, vocab_size):
        super().__init__()
        self.emb = nn.Embedding(vocab_size, args.n_embd)
        nn.init.uniform_(self.emb.weight, -1e-4, 1e-4)
        self.blocks = nn.Sequential(*[Block(args, i) for i in range(args.n_layer)])
        self.ln_out = nn.LayerNorm(args.n_embd)
        self.head = nn.Linear(args.n_embd, vocab_size, bias=False)

    def forward(self, idx):
        return self.head(self.ln_out(self.blocks(self.emb(idx))))


def build_model(ctx):
    return RWKV(args, ctx.vocab_size)
