# role: helper
# rule: prism:no-dynamic-attr
# tries: Reads a module out of a helper of the bundle with getattr.
import architecture

TOOLS = getattr(architecture, "nn")
