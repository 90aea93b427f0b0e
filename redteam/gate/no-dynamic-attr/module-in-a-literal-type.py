# role: helper
# rule: prism:no-dynamic-attr
# tries: Makes torch the argument of typing.Literal and takes it out with get_args.
import typing

import torch

LOAD = typing.get_args(typing.Literal[torch])[0].hub.load
