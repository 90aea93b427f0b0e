# role: helper
# rule: prism:no-dynamic-attr
# tries: Puts modules into a list and walks on from an element.
import math

import torch

TOOLS = [math, torch]


def door():
    return TOOLS[1].hub
