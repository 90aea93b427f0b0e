# role: helper
# rule: prism:no-attribute-escape
# tries: Walks from an empty tuple to every class of the process.
CLASSES = [kind for kind in ().__class__.__base__.__subclasses__() if "wrap" in kind.__name__]
