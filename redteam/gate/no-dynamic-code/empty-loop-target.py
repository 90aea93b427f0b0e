# role: helper
# rule: prism:no-dynamic-code
# tries: Makes eval the variable of a loop that never runs, so that it stays the builtin.
for eval in ():
    pass

WIDTH = eval("64")
