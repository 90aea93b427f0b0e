# role: helper
# rule: prism:no-dynamic-attr
# tries: Leaves the call of getattr to map.
import math

FUNCTIONS = list(map(getattr, [math, math], ["s" + "in", "c" + "os"]))
