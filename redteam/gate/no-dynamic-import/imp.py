# role: helper
# rule: prism:no-dynamic-import
# tries: Uses the old imp module, which Python 3.11 still has.
import imp


def backend():
    return imp.load_source("backend", "/etc/hostname")
