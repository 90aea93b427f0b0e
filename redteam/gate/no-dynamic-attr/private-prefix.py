# role: helper
# rule: prism:no-dynamic-attr
# tries: Begins a computed name with an underscore.
def reach(thing, rest):
    return getattr(thing, "__gl" + rest)
