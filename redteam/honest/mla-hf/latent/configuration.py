"""A configuration class with keyword arguments, the way model hubs write them."""

import json
from typing import Any, Dict


class PretrainedConfig:
    model_type: str = ""

    def __init__(self, **kwargs):
        self.output_hidden_states = kwargs.pop("output_hidden_states", False)
        self.tie_word_embeddings = kwargs.pop("tie_word_embeddings", True)
        if kwargs:
            raise TypeError(f"unknown settings: {sorted(kwargs)}")

    def to_dict(self) -> Dict[str, Any]:
        # the fields by name: `vars(self)` shows more than the settings
        return {
            "model_type": self.model_type,
            "output_hidden_states": self.output_hidden_states,
            "tie_word_embeddings": self.tie_word_embeddings,
        }

    def to_json_string(self) -> str:
        return json.dumps(self.to_dict(), indent=2, sort_keys=True) + "\n"

    def __repr__(self):
        return f"{type(self).__name__} {self.to_json_string()}"


class LatentConfig(PretrainedConfig):
    r"""
    Args:
        hidden_size (`int`, *optional*, defaults to 64): width of the residual stream.
        kv_lora_rank (`int`, *optional*, defaults to 16): width of the compressed keys and values.
        qk_rope_head_dim (`int`, *optional*, defaults to 8): rotary part of a head, shared by all heads.
    """

    model_type = "latent"

    def __init__(
        self,
        vocab_size=257,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        kv_lora_rank=16,
        q_lora_rank=None,
        qk_nope_head_dim=16,
        qk_rope_head_dim=8,
        v_head_dim=16,
        intermediate_size=160,
        rms_norm_eps=1e-6,
        rope_theta=10000.0,
        initializer_range=0.02,
        **kwargs,
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.kv_lora_rank = kv_lora_rank
        self.q_lora_rank = q_lora_rank
        self.qk_nope_head_dim = qk_nope_head_dim
        self.qk_rope_head_dim = qk_rope_head_dim
        self.v_head_dim = v_head_dim
        self.intermediate_size = intermediate_size
        self.rms_norm_eps = rms_norm_eps
        self.rope_theta = rope_theta
        self.initializer_range = initializer_range
        super().__init__(**kwargs)

    def to_dict(self):
        output = super().to_dict()
        output["hidden_size"] = self.hidden_size
        output["num_hidden_layers"] = self.num_hidden_layers
        output["kv_lora_rank"] = self.kv_lora_rank
        return output
