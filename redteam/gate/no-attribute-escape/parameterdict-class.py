# role: architecture
# rule: prism:no-attribute-escape
# tries: Nn.ParameterDict()[name] reads any attribute of the dict: its class.
from torch import nn


def build_model(ctx):
    kind = nn.ParameterDict()["__class__"]
    return kind
