# role: helper
# rule: prism:no-dynamic-code
# tries: Uses eval as the variable of a comprehension, which does not leak out of it.
SIZES = [eval for eval in (32, 64)]
WIDTH = eval("max(SIZES)")
