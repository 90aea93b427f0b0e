"""Multi-head latent attention, with an output class that has `.logits`."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Optional, Tuple

import torch
from torch import nn

from .configuration import LatentConfig

ACT2FN = OrderedDict(silu=nn.SiLU, gelu=nn.GELU, relu=nn.ReLU)


@dataclass
class CausalLMOutput:
    logits: torch.Tensor
    loss: Optional[torch.Tensor] = None
    hidden_states: Optional[Tuple[torch.Tensor, ...]] = None


def rotate_half(x):
    x1, x2 = x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


class RotaryEmbedding(nn.Module):
    def __init__(self, dim, base):
        super().__init__()
        self.register_buffer("inv_freq", base ** (-torch.arange(0, dim, 2) / dim), persistent=False)

    @torch.no_grad()
    def forward(self, x, position_ids):
        freqs = position_ids[:, None].float() * self.inv_freq
        emb = torch.cat((freqs, freqs), dim=-1)
        return emb.cos().to(x.dtype), emb.sin().to(x.dtype)


class LatentAttention(nn.Module):
    def __init__(self, config: LatentConfig, layer_idx: Optional[int] = None):
        super().__init__()
        self.config, self.layer_idx, c = config, layer_idx, config
        self.num_heads, self.q_head_dim = (
            c.num_attention_heads,
            c.qk_nope_head_dim + c.qk_rope_head_dim,
        )
        if c.q_lora_rank is None:
            self.q_proj = nn.Linear(c.hidden_size, self.num_heads * self.q_head_dim, bias=False)
        else:
            self.q_proj = nn.Sequential(
                nn.Linear(c.hidden_size, c.q_lora_rank, bias=False),
                nn.RMSNorm(c.q_lora_rank),
                nn.Linear(c.q_lora_rank, self.num_heads * self.q_head_dim, bias=False),
            )
        self.kv_a_proj_with_mqa = nn.Linear(
            c.hidden_size, c.kv_lora_rank + c.qk_rope_head_dim, bias=False
        )
        self.kv_a_layernorm = nn.RMSNorm(c.kv_lora_rank, eps=c.rms_norm_eps)
        self.kv_b_proj = nn.Linear(
            c.kv_lora_rank, self.num_heads * (c.qk_nope_head_dim + c.v_head_dim), bias=False
        )
        self.o_proj = nn.Linear(self.num_heads * c.v_head_dim, c.hidden_size, bias=False)

    def forward(self, hidden_states, position_embeddings):
        c = self.config
        bsz, q_len, _ = hidden_states.size()
        q = (
            self.q_proj(hidden_states)
            .view(bsz, q_len, self.num_heads, self.q_head_dim)
            .transpose(1, 2)
        )
        q_nope, q_pe = torch.split(q, [c.qk_nope_head_dim, c.qk_rope_head_dim], dim=-1)
        compressed, k_pe = self.kv_a_proj_with_mqa(hidden_states).split(
            [c.kv_lora_rank, c.qk_rope_head_dim], -1
        )
        kv = (
            self.kv_b_proj(self.kv_a_layernorm(compressed))
            .view(bsz, q_len, self.num_heads, -1)
            .transpose(1, 2)
        )
        k_nope, value = kv.split([c.qk_nope_head_dim, c.v_head_dim], dim=-1)
        cos, sin = position_embeddings
        q_pe = q_pe * cos + rotate_half(q_pe) * sin
        k_pe = (k_pe * cos + rotate_half(k_pe) * sin)[:, None].expand(-1, self.num_heads, -1, -1)
        query, key = torch.cat([q_nope, q_pe], -1), torch.cat([k_nope, k_pe], -1)
        out = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.o_proj(out.transpose(1, 2).reshape(bsz, q_len, -1))


class LatentMLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)
        self.act_fn = ACT2FN[getattr(config, "hidden_act", "silu")]()

    def forward(self, x):
        return self.down_proj(self.act_fn(self.gate_proj(x)) * self.up_proj(x))


class LatentDecoderLayer(nn.Module):
    def __init__(self, config, layer_idx):
        super().__init__()
        self.self_attn = LatentAttention(config=config, layer_idx=layer_idx)
        self.mlp = LatentMLP(config)
        self.input_layernorm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)

    def forward(self, hidden_states, **kwargs):
        hidden_states = hidden_states + self.self_attn(
            self.input_layernorm(hidden_states), **kwargs
        )
        return hidden_states + self.mlp(self.post_attention_layernorm(hidden_states))


class LatentForCausalLM(nn.Module):
    config_class = LatentConfig
    _tied_weights_keys = ["lm_head.weight"]

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            LatentDecoderLayer(config, i) for i in range(config.num_hidden_layers)
        )
        self.norm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.rotary_emb = RotaryEmbedding(config.qk_rope_head_dim, config.rope_theta)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def post_init(self):
        self.apply(self._init_weights)
        if self.config.tie_word_embeddings:
            self.lm_head.weight = self.embed_tokens.weight

    def _init_weights(self, module):
        std = self.config.initializer_range
        if isinstance(module, (nn.Linear, nn.Embedding)):
            module.weight.data.normal_(mean=0.0, std=std)

    def forward(self, input_ids, output_hidden_states=None) -> CausalLMOutput:
        output_hidden_states = (
            output_hidden_states
            if output_hidden_states is not None
            else self.config.output_hidden_states
        )
        hidden = self.embed_tokens(input_ids)
        position_ids = torch.arange(input_ids.shape[1], device=input_ids.device)
        position_embeddings = self.rotary_emb(hidden, position_ids)
        every = () if output_hidden_states else None
        for layer in self.layers:
            if output_hidden_states:
                every += (hidden,)
            hidden = layer(hidden, position_embeddings=position_embeddings)
        return CausalLMOutput(logits=self.lm_head(self.norm(hidden)), hidden_states=every)
