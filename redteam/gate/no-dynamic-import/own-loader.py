# role: helper
# rule: prism:no-dynamic-import | prism:no-attribute-escape
# tries: Uses the loader that every module finds among its own globals.
def backend(name="os"):
    return __loader__.load_module(name)
