# role: helper
# rule: prism:undocumented-attribute
# tries: Goes from the root logger to the file that it writes to.
import logging

logging.basicConfig()
stream = logging.getLogger().handlers[0].stream.buffer
