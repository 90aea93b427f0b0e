# role: helper
# rule: prism:no-filesystem
# tries: Calls open at module level above the function of that name, when it is still the builtin.
TABLE = list(open("/etc/hostname"))


def open(name):
    return iter(())
