# role: helper
# rule: prism:no-dynamic-code
# tries: Annotates eval without a value, which declares a name but binds nothing.
eval: object

WIDTH = eval("64")
