# role: helper
# rule: prism:no-dynamic-attr
# tries: Reads a module by the field of a template.
import warnings

TEXT = "{0._module.sys.modules[os].environ}".format(warnings.catch_warnings())
