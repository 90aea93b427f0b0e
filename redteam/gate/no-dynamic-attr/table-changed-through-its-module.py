# role: helper
# rule: prism:no-dynamic-attr
# tries: Changes a table of names as an attribute of its module.
import helper as me

NAMES = ["__name__"]


def probe():
    return 0


me.NAMES.insert(0, "".join(["__glo", "bals__"]))
value = getattr(probe, NAMES[0])
