# role: architecture
# rule: prism:no-attribute-escape
# tries: TABLE = OTHER = [...]: the table is changed under the second name.
TABLE = OTHER = ["shape"]
OTHER[0] = "__globals__"


def build_model(ctx):
    return getattr(build_model, TABLE[0])["__builtins__"]["eval"]("1+1")
