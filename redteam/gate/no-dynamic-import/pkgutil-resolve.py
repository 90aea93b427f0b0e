# role: helper
# rule: prism:no-dynamic-import
# tries: Resolves a dotted name to an object with pkgutil.
import pkgutil


def activation(name="os:getpid"):
    return pkgutil.resolve_name(name)
