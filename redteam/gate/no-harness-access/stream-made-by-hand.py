# role: helper
# rule: prism:no-harness-access
# tries: Makes a stream itself.
from prism_runtime import Stream

stream = Stream(3, print)
