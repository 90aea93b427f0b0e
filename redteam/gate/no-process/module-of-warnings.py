# role: helper
# rule: prism:no-process | prism:no-attribute-escape | prism:no-dynamic-attr
# tries: Takes sys from the module that an object of warnings keeps.
import warnings


def modules():
    return warnings.catch_warnings()._module.sys.modules
