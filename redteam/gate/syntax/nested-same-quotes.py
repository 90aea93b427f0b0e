# role: helper
# rule: prism:syntax
# tries: Nests the same quotes in an f-string, which Python 3.11 reads as three strings.
def title(table):
    return f"{table["a"]} {f"{eval("1")}"}"
