# role: helper
# rule: prism:no-filesystem
# tries: Reads a file with a renamed Path.
from pathlib import Path as Shape


def width():
    return len(Shape("/etc/hostname").read_text())
