# role: helper
# rule: prism:no-dynamic-attr
# tries: Chooses the style of a log's templates in a subclass, where no call of the formatter shows it.
import logging


class Own(logging.Formatter):
    def __init__(self, template):
        super().__init__(template, None, chr(123))


def formatter(field):
    return Own("{args[0]." + "_" * 2 + field + "_" * 2 + "}")
