# `except Where as __path__` binds a name that no rule looks at: the package's path is then what the exception iterates over,
# and `from . import os` takes os from the standard library's folder.
found = []


class Where(Exception):
    def __iter__(self):
        return iter(self.args)


try:
    raise Where("/usr/lib/python3.11", "/usr/local/lib/python3.11")
except Where as __path__:
    from . import os

    found.append(os)
