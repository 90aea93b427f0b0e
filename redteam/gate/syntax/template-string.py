# role: helper
# rule: prism:syntax
# tries: Hides a call in a template string of Python 3.14.
def title(step):
    return t"step {eval('1')} {step}"
