# role: training
# rule: prism:no-dynamic-attr
# tries: Enum.__call__ makes classes with names that are not spelled out.
import enum


def hook(self, name):
    print("PWNED hook", name)
    return 1


def train(ctx):
    name = "".join(["__get", "attribute__"])
    kind = enum.Enum.__call__("Kind", {name: hook, "A": 1})
    kind(1).anything
