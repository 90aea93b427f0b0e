# role: architecture
# rule: prism:no-attribute-escape
# tries: A loop over tables binds each in turn: several bindings but one is changed.
BOX = [TABLE := ["shape"]]
BOX[0][0] = "__globals__"


def build_model(ctx):
    return getattr(build_model, TABLE[0])["__builtins__"]["eval"]("1+1")
