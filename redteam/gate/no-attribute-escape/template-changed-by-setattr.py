# role: helper
# rule: prism:no-attribute-escape | prism:no-dynamic-attr
# tries: Replaces a template that looks constant.
import helper as me

TEMPLATE = "{0}"


def show(x):
    return TEMPLATE.format(x)


setattr(me, "TEMPLATE", "{0.__" + "doc__}")
print(show(print))
