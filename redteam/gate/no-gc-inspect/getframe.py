# role: helper
# rule: prism:no-gc-inspect | prism:no-process
# tries: Imports the function that returns frames, alone and renamed.
from sys import _getframe as level


def caller():
    return level(1)
