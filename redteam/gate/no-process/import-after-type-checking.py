# role: helper
# rule: prism:no-process
# tries: Imports subprocess in the else branch of TYPE_CHECKING, which is the one that runs.
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor as tools
else:
    import subprocess as tools


def describe():
    return tools.run(["id"], capture_output=True).stdout
