# role: helper
# rule: prism:no-dynamic-attr
# tries: Changes a table of names under another name.
NAMES = ["shape"]


def reach(x, *parts):
    other = NAMES
    other[0] = "".join(parts)
    return getattr(x, NAMES[0])
