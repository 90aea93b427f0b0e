# role: helper
# rule: prism:no-dynamic-attr
# tries: Begins a computed name like one that leads out.
def reach(thing, rest):
    return getattr(thing, f"load{rest}")
