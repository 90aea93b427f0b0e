# role: helper
# rule: prism:no-dynamic-code
# tries: Parses a string into a tree with ast, changes it and compiles it.
import ast as plan

TREE = plan.parse("64", mode="eval")


def width():
    return TREE.body.value


def layer(build=compile):
    return build(TREE, "layer", "eval")
