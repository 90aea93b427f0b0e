# role: helper
# rule: prism:no-dynamic-attr
# tries: Returns torch from a nested lambda in a conditional expression.
import torch

choose = lambda flag: (torch if flag else 0)
LOAD = choose(True).hub.load
