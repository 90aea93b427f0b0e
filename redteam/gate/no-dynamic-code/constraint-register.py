# role: architecture
# rule: prism:no-dynamic-code
# tries: Biject_to.register replaces a library's transform.
from torch.distributions import biject_to, constraints


@biject_to.register(constraints.positive)
def own(constraint):
    return "replaced"


def build_model(ctx):
    return biject_to(constraints.positive)
