# role: architecture
# rule: prism:no-attribute-escape
# tries: Keep((TABLE := [...])) hands the table on where its name is not read.
def change(table):
    table[0] = "__globals__"


change((TABLE := ["shape"]))


def build_model(ctx):
    return getattr(build_model, TABLE[0])["__builtins__"]["eval"]("1+1")
