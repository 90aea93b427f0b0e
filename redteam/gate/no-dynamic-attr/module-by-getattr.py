# role: helper
# rule: prism:no-dynamic-attr
# tries: Takes a submodule with getattr, whose value nobody follows.
import torch

TOOLS = getattr(torch, "utils")
LOAD = TOOLS.model_zoo.load_url
