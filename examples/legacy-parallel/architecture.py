# Written for the older interface: a small mixture of experts over causal attention.
import torch
import torch.nn.functional as F
from prism_challenge.evaluator.interface import PrismContext
from torch import nn

WIDTH = 48
HEADS = 2
LAYERS = 2
EXPERTS = 4
CHOSEN = 2
ROUTER_NOISE = 0.02
EPS = 1e-6


class Norm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * self.gain


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads != 0:
            raise Exception("the width must be a multiple of the heads")
        self.heads = heads
        self.project = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, t, c = x.shape
        q, k, v = (y.view(b, t, self.heads, -1).transpose(1, 2) for y in self.project(x).chunk(3, dim=-1))
        scores = (q @ k.transpose(-2, -1)) * (c // self.heads) ** -0.5
        later = torch.ones(t, t, device=x.device, dtype=torch.bool).triu(1)
        weights = torch.softmax(scores.masked_fill(later, float("-inf")), dim=-1)
        return self.out((weights @ v).transpose(1, 2).contiguous().view(b, t, c))


class Expert(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, 2 * width, bias=False)
        self.gate = nn.Linear(width, 2 * width, bias=False)
        self.down = nn.Linear(2 * width, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Mixture(nn.Module):
    def __init__(self, width: int, experts: int, chosen: int) -> None:
        super().__init__()
        self.chosen = chosen
        self.router = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(Expert(width) for _ in range(experts))
        self.shared = Expert(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1])
        scores = self.router(flat)
        if self.training:
            scores = scores + torch.randn_like(scores) * ROUTER_NOISE
        weights, index = torch.topk(torch.softmax(scores, dim=-1), k=self.chosen, dim=-1)
        weights = weights / weights.sum(dim=-1, keepdim=True).clamp_min(EPS)
        mixed = flat.new_zeros(flat.shape)
        for number, expert in enumerate(self.experts):
            mask = index.eq(number)
            if not mask.any():
                continue
            mixed = mixed + expert(flat) * (weights * mask.to(weights.dtype)).sum(-1, keepdim=True)
        return (mixed + self.shared(flat)).view(x.shape)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm_1 = Norm(WIDTH)
        self.attention = Attention(WIDTH, HEADS)
        self.norm_2 = Norm(WIDTH)
        self.mixture = Mixture(WIDTH, EXPERTS, CHOSEN)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.norm_1(x))
        return x + self.mixture(self.norm_2(x))


class MixtureLM(nn.Module):
    def __init__(self, vocab_size: int, longest: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, WIDTH)
        self.positions = nn.Embedding(longest, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = Norm(WIDTH)
        self.head = nn.Linear(WIDTH, vocab_size, bias=False)
        self.head.weight = self.tokens.weight
        with torch.no_grad():
            self.tokens.weight.normal_(0.0, 0.02)
            self.positions.weight.normal_(0.0, 0.02)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))

    def loss(self, tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits = self.forward(tokens)
        return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))


def build_model(ctx: PrismContext) -> MixtureLM:
    if LAYERS > ctx.max_layers:
        raise Exception("too many layers")
    return MixtureLM(ctx.vocab_size, ctx.max_seq_len)
