# role: helper
# rule: prism:no-torch-escape
# tries: Derives from the pruning method that sets attributes by name.
import torch.nn.utils.prune as prune


class Setter(prune.BasePruningMethod):
    def compute_mask(self, t, default_mask):
        return default_mask
