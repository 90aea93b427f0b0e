# role: helper
# rule: prism:no-dynamic-attr
# tries: Takes torch out of the values of a dict comprehension.
import torch

TABLE = {number: torch for number in range(1)}
LOAD = TABLE[0].hub.load
