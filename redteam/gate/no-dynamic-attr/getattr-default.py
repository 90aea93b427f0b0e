# role: helper
# rule: prism:no-dynamic-attr
# tries: Takes getattr as a keyword-only default.
def door(owner, name, *, read=getattr):
    return read(owner, name)
