# role: helper
# rule: prism:undocumented-attribute | prism:no-torch-escape | prism:no-forbidden-import | prism:no-dynamic-attr | prism:no-attribute-escape
# tries: Hands torch.compile to map.
import torch

made = list(map(torch.compile, [lambda x: x]))
