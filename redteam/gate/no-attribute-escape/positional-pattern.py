# role: helper
# rule: prism:no-attribute-escape | prism:no-dynamic-attr
# tries: Reads __globals__ with a positional pattern of an abstract class at which functions are registered.
import abc


class View(abc.ABC):
    __match_args__ = ("__glo" + "bals__",)


View.register(type(lambda: None))


def names(function):
    match function:
        case View(found):
            return found
