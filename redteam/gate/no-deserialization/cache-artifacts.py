# role: helper
# rule: prism:no-deserialization | prism:no-torch-escape
# tries: Loads compiler caches, which are pickles, from bytes.
import torch


def warm(data):
    return torch.compiler.load_cache_artifacts(data)
