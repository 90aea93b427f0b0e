# role: helper
# rule: prism:no-attribute-escape
# tries: Buries the keyword of a class pattern inside a sequence pattern, a mapping pattern and an or.
def names(items):
    match items:
        case [{"layer": (object(__globals__=table) | object(__dict__=table))}, *_]:
            return table
    return None
