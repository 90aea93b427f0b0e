# role: helper
# rule: prism:no-dynamic-code
# tries: Imports the module of builtins and binds one of its functions.
import builtins as defaults

width = defaults.eval


def width_of(ctx):
    return width("64")
