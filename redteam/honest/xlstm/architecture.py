"""xLSTM-like: an mLSTM block in its parallel form and an sLSTM block with exponential gates.

mLSTM, with F_t = Σ_{s≤t} log σ(f_s):   D_ts = F_t - F_s + i_s  (s ≤ t),   m_t = max_s D_ts
    C_ts = q_t·k_s/√d · exp(D_ts - m_t),   h_t = Σ_s C_ts v_s / max(|Σ_s C_ts|, exp(-m_t))
"""

import torch
import torch.nn as nn
import torch.nn.functional as F


class mLSTM(nn.Module):
    def __init__(self, d, h=2):
        super().__init__()
        self.h = h
        self.qkv = nn.Linear(d, 3 * d, bias=False)
        self.gates = nn.Linear(d, 2 * h)
        with torch.no_grad():
            self.gates.bias[h:].copy_(torch.linspace(3.0, 6.0, h))
        self.o, self.z = nn.Linear(d, d, bias=False), nn.Linear(d, d)

    def forward(self, x):
        B, S, d = x.shape
        q, k, v = self.qkv(x).view(B, S, 3, self.h, -1).permute(2, 0, 3, 1, 4)
        i, f = self.gates(x).transpose(1, 2).chunk(2, dim=1)
        log_f = F.logsigmoid(f).cumsum(-1)
        log_D = log_f.unsqueeze(-1) - log_f.unsqueeze(-2) + i.unsqueeze(-2)
        ltr = torch.tril(torch.ones((S, S), dtype=torch.bool, device=x.device))
        log_D = log_D.masked_fill(~ltr, -float("inf"))
        max_D, _ = log_D.max(dim=-1, keepdim=True)
        C = q @ (k / k.shape[-1] ** 0.5).mT * torch.exp(log_D - max_D)
        normalizer = torch.maximum(C.sum(-1, keepdim=True).abs(), torch.exp(-max_D))
        y = F.rms_norm((C / (normalizer + 1e-6)) @ v, (d // self.h,))
        return self.o(y.transpose(1, 2).reshape(B, S, d) * torch.sigmoid(self.z(x)))


class sLSTM(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.W = nn.Linear(d, 4 * d)
        self.R = nn.Parameter(torch.randn(4, d, d) * 0.02)

    def step(self, wx, system):
        """One step of the recurrence; `system` is (h, c, n, m)."""
        h, c, n, m = system
        z, i, f, o = (wx + torch.einsum("bd,gde->bge", h, self.R).flatten(1)).chunk(4, -1)
        log_f = F.logsigmoid(f)
        m_new = torch.maximum(log_f + m, i)
        i, f = torch.exp(i - m_new), torch.exp(log_f + m - m_new)
        c, n = f * c + i * torch.tanh(z), f * n + i
        return torch.sigmoid(o) * c / n.clamp(min=1e-6), c, n, m_new

    def forward(self, x):
        zero = torch.zeros_like(x[:, 0])
        system, out = (zero, zero, zero, zero), []
        for wx in self.W(x).unbind(1):
            system = self.step(wx, system)
            out.append(system[0])
        return torch.stack(out, 1)


class xLSTM(nn.Module):
    def __init__(self, V, d=48, layout="ms"):
        super().__init__()
        self.emb = nn.Embedding(V, d)
        makers = {"m": mLSTM, "s": sLSTM}
        self.cells = nn.ModuleList(makers[c](d) for c in layout)
        self.ln = nn.ModuleList(nn.LayerNorm(d) for _ in layout)
        self.head = nn.Linear(d, V)

    def forward(self, x):
        x = self.emb(x)
        for ln, cell in zip(self.ln, self.cells):
            x = x + cell(ln(x))
        return self.head(x)


def build_model(ctx):
    return xLSTM(ctx.vocab_size)
