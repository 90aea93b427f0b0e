# role: architecture
# rule: prism:no-attribute-escape
# tries: A text that is bound by a walrus in a default.
def victim():
    pass


def read(thing, box=[TABLE := ["shape"]]):
    box[0][0] = "__globals__"
    return thing


def build_model(ctx):
    read(victim)
    return getattr(victim, TABLE[0])["__builtins__"]["eval"]("1+1")
