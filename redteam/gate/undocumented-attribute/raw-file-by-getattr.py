# role: helper
# rule: prism:undocumented-attribute | prism:no-dynamic-attr
# tries: Asks for the raw file of a stream by a literal name.
import logging


def raw_of(handler):
    return getattr(handler, "raw")


print(raw_of(logging.getLogger().parent))
