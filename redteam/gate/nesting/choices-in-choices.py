# role: helper
# rule: prism:nesting | prism:no-torch-escape
# tries: Hides torch in more choices within one another than anybody follows.
import torch

library = ((((((((((((((((((((((((((((((((((((((((torch or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0) or 0)
LOAD = library.hub.load
