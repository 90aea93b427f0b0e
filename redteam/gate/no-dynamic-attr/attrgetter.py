# role: helper
# rule: prism:no-dynamic-attr
# tries: Builds a getter of a dotted name with the operator module.
from operator import attrgetter as column

globals_of = column("forward.__func__.__globals__")
