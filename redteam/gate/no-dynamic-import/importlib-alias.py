# role: helper
# rule: prism:no-dynamic-import
# tries: Imports import_module as lazy and gives it a joined name.
from importlib import import_module as lazy


def backend():
    return lazy("".join(("sub", "process")))
