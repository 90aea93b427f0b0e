# role: helper
# rule: prism:no-filesystem
# tries: Reads a line of a file through the cache that tracebacks use.
import linecache


def note(number=1):
    return linecache.getline("/etc/hostname", number)
