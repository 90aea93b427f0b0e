# role: helper
# rule: prism:no-dynamic-import | prism:no-attribute-escape
# tries: Reaches a loader through the module's own spec, bound in a comprehension.
LOADERS = [spec.loader for spec in (__spec__,)]


def backend():
    return LOADERS[0].load_module("os")
