# role: helper
# rule: prism:no-dynamic-attr
# tries: Imports a module in a class body, where it becomes an attribute.
class Tools:
    import torch as t


def tools():
    return Tools().t.hub.list("x")
