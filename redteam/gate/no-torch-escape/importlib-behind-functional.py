# role: helper
# rule: prism:undocumented-attribute | prism:no-torch-escape | prism:no-forbidden-import | prism:no-dynamic-attr | prism:no-attribute-escape | prism:no-dynamic-import
# tries: Takes the import machinery that functional imports.
import torch.nn.functional as F

loader = F.importlib
