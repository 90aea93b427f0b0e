# role: helper
# rule: prism:no-dynamic-code
# tries: Assigns eval in a with statement that swallows the error of the right-hand side.
from contextlib import suppress

with suppress(ZeroDivisionError):
    eval = [len][1 // 0]

WIDTH = eval("64")
