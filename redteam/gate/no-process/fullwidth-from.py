# role: helper
# rule: prism:no-process
# tries: Writes the module of a from import with letters of full width.
from ｏs import system as run


def shell():
    return run("id")
