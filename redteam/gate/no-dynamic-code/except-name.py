# role: helper
# rule: prism:no-dynamic-code
# tries: Names an exception eval: Python deletes the name at the end of the clause, and the builtin is back.
try:
    WIDTH = 64 // 0
except ZeroDivisionError as eval:
    pass

WIDTH = eval("64")
