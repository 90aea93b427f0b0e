# role: helper
# rule: prism:no-dynamic-code
# tries: Prepares the call that makes a class.
import functools

make = functools.partial(type, "Mine")
Mine = make((), {"__reduce_" + "ex__": print})
