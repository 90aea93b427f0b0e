# role: helper
# rule: prism:undocumented-attribute | prism:no-torch-escape | prism:no-forbidden-import | prism:no-dynamic-attr | prism:no-attribute-escape
# tries: Takes torch out of the module of initialisations and goes on from there.
import torch.nn.init as init

loader = init.torch.hub
