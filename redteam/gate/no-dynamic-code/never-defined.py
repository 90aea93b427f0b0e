# role: helper
# rule: prism:no-dynamic-code
# tries: Defines compile in a branch that is never taken.
WIDTH = 64

if WIDTH < 0:

    def compile(text, name, mode):
        return text


CODE = compile("WIDTH", "w", "eval")
