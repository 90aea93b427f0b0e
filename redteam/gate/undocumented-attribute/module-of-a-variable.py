# role: helper
# rule: prism:undocumented-attribute
# tries: The same object through a variable.
import warnings


class Own:
    _module = None


guard = warnings.catch_warnings()
found = guard._module
