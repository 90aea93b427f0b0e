# role: helper
# rule: prism:no-dynamic-attr
# tries: Takes functools.update_wrapper out of a list, so that its arguments are not seen.
import functools

FOUND = []


class Catcher:
    def __setattr__(self, name, value):
        FOUND.append(value)


def plain():
    return 1


[functools.update_wrapper][0](Catcher(), plain, ["__glo" + "bals__"], [])
