# role: helper
# rule: prism:undocumented-attribute
# tries: Defines the private name itself, so that it seems to be the bundle's own.
import warnings


class Own:
    def __init__(self):
        self._module = None


found = warnings.catch_warnings()._module
