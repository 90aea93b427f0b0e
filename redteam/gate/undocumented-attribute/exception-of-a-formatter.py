# role: helper
# rule: prism:undocumented-attribute
# tries: Reads any line of any file by a traceback of its own that a formatter of logs formats.
import logging


def text(tb):
    return logging.Formatter().formatException((ValueError, ValueError("x"), tb))
