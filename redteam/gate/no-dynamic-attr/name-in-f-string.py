# role: helper
# rule: prism:no-dynamic-attr
# tries: Builds the name for getattr in an f-string.
def kind(model, word="class"):
    return getattr(model, f"__{word}__", None)
