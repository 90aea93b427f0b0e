"""Multi-head latent attention in the layout of a model hub: configuration and modelling files apart."""

from latent.configuration import LatentConfig
from latent.modeling import LatentForCausalLM


def build_model(ctx, **overrides):
    config = LatentConfig(vocab_size=ctx.vocab_size, **{"tie_word_embeddings": True, **overrides})
    return LatentForCausalLM(config)
