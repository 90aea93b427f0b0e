# role: helper
# rule: prism:no-torch-escape
# tries: Loads a shared library by the door of TorchScript's classes.
from torch import classes as layers

layers.load_library("/usr/lib/libm.so.6")
