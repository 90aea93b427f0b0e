# role: helper
# rule: prism:no-dynamic-code
# tries: Assigns eval in a class body and uses it in a comprehension there, which sees only the builtin.
class Config:
    eval = len
    sizes = [eval(text) for text in ("32", "64")]
