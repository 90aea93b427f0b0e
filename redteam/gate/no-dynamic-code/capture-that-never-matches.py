# role: helper
# rule: prism:no-dynamic-code
# tries: Binds the name of a builtin in a pattern that never matches.
match 0:
    case [eval]:
        pass
X = eval("1")
