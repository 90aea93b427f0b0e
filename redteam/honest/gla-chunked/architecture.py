"""A language model of gated linear attention layers; the layer itself is in layers.py."""

from torch import nn

from layers import GatedLinearAttention


class GLAModel(nn.Module):
    def __init__(self, vocab_size: int, dim: int = 64, depth: int = 2):
        super().__init__()
        self.embeddings = nn.Embedding(vocab_size, dim)
        self.layers = nn.ModuleList(
            nn.ModuleDict(
                dict(
                    attn_norm=nn.RMSNorm(dim),
                    attn=GatedLinearAttention(dim),
                    mlp_norm=nn.RMSNorm(dim),
                    mlp=nn.Sequential(nn.Linear(dim, 3 * dim), nn.SiLU(), nn.Linear(3 * dim, dim)),
                )
            )
            for _ in range(depth)
        )
        self.norm = nn.RMSNorm(dim)
        self.lm_head = nn.Linear(dim, vocab_size, bias=False)

    def forward(self, input_ids):
        h = self.embeddings(input_ids)
        for layer in self.layers:
            h = h + layer.attn(layer.attn_norm(h))
            h = h + layer.mlp(layer.mlp_norm(h))
        return self.lm_head(self.norm(h))


def build_model(ctx):
    return GLAModel(ctx.vocab_size)
