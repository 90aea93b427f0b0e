# role: helper
# rule: prism:no-attribute-escape | prism:no-dynamic-attr | prism:no-monkeypatch
# tries: Has functools.update_wrapper read __globals__ and hand it to a __setattr__.
import functools

FOUND = []


class Catcher:
    def __setattr__(self, name, value):
        FOUND.append(value)


def plain():
    return 1


functools.update_wrapper(Catcher(), plain, assigned=["__glo" + "bals__"], updated=[])
