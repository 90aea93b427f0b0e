# role: helper
# rule: prism:no-dynamic-code
# tries: Binds exec at module level and deletes it in a function by a global statement.
exec = print


def prepare():
    global exec
    del exec


prepare()
exec("WIDTH = 64")
