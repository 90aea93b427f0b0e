# role: helper
# rule: prism:no-threads
# tries: Imports the queue that threads talk by.
from queue import SimpleQueue as Buffer

BUFFER = Buffer()
