# role: helper
# rule: prism:no-dynamic-attr
# tries: Gives a class attribute the module torch in an annotated assignment.
from dataclasses import dataclass

import torch


@dataclass
class Tools:
    library: object = torch


LOAD = Tools().library.hub.load
