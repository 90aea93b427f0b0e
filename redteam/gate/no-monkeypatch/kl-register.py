# role: architecture
# rule: prism:no-monkeypatch
# tries: Register_kl replaces the divergence of two library classes.
from torch.distributions import Normal, kl_divergence, register_kl


@register_kl(Normal, Normal)
def own(p, q):
    return "replaced"


def build_model(ctx):
    return kl_divergence(Normal(0.0, 1.0), Normal(0.0, 1.0))
