# role: helper
# rule: prism:undocumented-attribute
# tries: Takes the module that a warning filter keeps, through a list.
import warnings

boxes = [warnings.catch_warnings()]
found = boxes[0]._module
