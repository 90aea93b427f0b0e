# role: helper
# rule: prism:undocumented-attribute
# tries: Lists all loggers of the process.
import logging

everything = logging.getLogger("x").manager.loggerDict
