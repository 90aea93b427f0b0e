# role: helper
# rule: prism:no-dynamic-code | prism:no-forbidden-import
# tries: Takes eval from the builtins that enum imports under a short name.
import enum

WIDTH = enum.bltns.eval("64")
