"""S4D: diagonal state space kernels, applied as a causal convolution through a padded FFT."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from einops import rearrange, repeat


class S4DKernel(nn.Module):
    """Generate the convolution kernel from diagonal SSM parameters."""

    def __init__(self, d_model, N=16, dt_min=0.001, dt_max=0.1, lr=None):
        super().__init__()
        H = d_model
        log_dt = torch.rand(H) * (math.log(dt_max) - math.log(dt_min)) + math.log(dt_min)
        C = torch.randn(H, N // 2, dtype=torch.cfloat)
        self.C = nn.Parameter(torch.view_as_real(C))
        self.register("log_dt", log_dt, lr)
        log_A_real = torch.log(0.5 * torch.ones(H, N // 2))
        A_imag = math.pi * repeat(torch.arange(N // 2), "n -> h n", h=H)
        self.register("log_A_real", log_A_real, lr)
        self.register("A_imag", A_imag.float(), lr)

    def forward(self, L):
        dt = torch.exp(self.log_dt)
        C = torch.view_as_complex(self.C)
        A = -torch.exp(self.log_A_real) + 1j * self.A_imag
        dtA = A * dt.unsqueeze(-1)
        K = dtA.unsqueeze(-1) * torch.arange(L, device=A.device)
        C = C * (torch.exp(dtA) - 1.0) / A
        return 2 * torch.einsum("hn, hnl -> hl", C, torch.exp(K)).real

    def register(self, name, tensor, lr=None):
        """Register a tensor with a configurable learning rate and 0 weight decay."""
        if lr == 0.0:
            self.register_buffer(name, tensor)
        else:
            param = nn.Parameter(tensor)
            param.optim_settings = {"weight_decay": 0.0}  # an attribute on a tensor of our own
            if lr is not None:
                param.optim_settings["lr"] = lr
            self.register_parameter(name, param)


class S4D(nn.Module):
    def __init__(self, d_model, d_state=16, transposed=True, **kernel_args):
        super().__init__()
        self.h, self.transposed = d_model, transposed
        self.D = nn.Parameter(torch.randn(self.h))
        self.kernel = S4DKernel(self.h, N=d_state, **kernel_args)
        self.activation = nn.GELU()
        self.output_linear = nn.Sequential(
            nn.Conv1d(self.h, 2 * self.h, kernel_size=1), nn.GLU(dim=-2)
        )

    def forward(self, u, **kwargs):
        if not self.transposed:
            u = rearrange(u, "b l h -> b h l")
        L = u.size(-1)
        k = self.kernel(L=L)
        k_f = torch.fft.rfft(k, n=2 * L)
        u_f = torch.fft.rfft(u, n=2 * L)
        y = torch.fft.irfft(u_f * k_f, n=2 * L)[..., :L]
        y = self.output_linear(self.activation(y + u * self.D.unsqueeze(-1)))
        return y if self.transposed else rearrange(y, "b h l -> b l h")


class S4Model(nn.Module):
    def __init__(self, d_input, d_model=64, n_layers=2, prenorm=False):
        super().__init__()
        self.prenorm = prenorm
        self.encoder = nn.Embedding(d_input, d_model)
        self.s4_layers = nn.ModuleList()
        self.norms = nn.ModuleList()
        for _ in range(n_layers):
            self.s4_layers.append(S4D(d_model, transposed=False, lr=1e-3))
            self.norms.append(nn.LayerNorm(d_model))
        self.decoder = nn.Linear(d_model, d_input)

    def forward(self, x):
        x = self.encoder(x)
        for layer, norm in zip(self.s4_layers, self.norms):
            z = norm(x) if self.prenorm else x
            x = layer(z) + x
            x = x if self.prenorm else norm(x)
        return self.decoder(F.relu(x))


def build_model(ctx):
    return S4Model(ctx.vocab_size)
