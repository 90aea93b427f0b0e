# role: helper
# rule: prism:no-dynamic-code
# tries: Uses exec at the top of the module; the function of that name is defined further down.
exec("WIDTH = 64")


def exec(text):
    return text
