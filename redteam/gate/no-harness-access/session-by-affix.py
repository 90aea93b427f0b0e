# role: helper
# rule: prism:no-harness-access | prism:no-dynamic-attr
# tries: Reads what is private in an object of the harness by a name in two parts.
def look(x):
    return getattr(x, f"_sess{'ion'}")
