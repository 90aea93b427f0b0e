# role: helper
# rule: prism:no-attribute-escape | prism:no-dynamic-attr | prism:no-forbidden-import
# tries: Has string.Formatter look an attribute up by its dotted name.
from string import Formatter as Title


def kind(model):
    return Title().get_field("0.__class__", (model,), {})[0]
