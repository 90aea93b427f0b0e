# role: helper
# rule: prism:no-filesystem
# tries: Opens a file by descriptor with the raw class of io.
from io import FileIO as Buffer


def tail():
    return Buffer(3, closefd=False).read(64)
