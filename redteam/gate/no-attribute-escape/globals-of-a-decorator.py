# role: helper
# rule: prism:no-attribute-escape
# tries: Reads the globals of a library's function, which hold the builtins.
import functools

TABLE = functools.wraps.__globals__
