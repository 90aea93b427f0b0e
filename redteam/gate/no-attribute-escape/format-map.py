# role: helper
# rule: prism:no-attribute-escape
# tries: Reads attributes in the fields of format_map, with the template bound elsewhere.
TEMPLATE = "rank {c.__init__.__globals__[os]}"


def title(ctx):
    return TEMPLATE.format_map({"c": ctx})
