# role: helper
# rule: prism:no-dynamic-code
# tries: Declares eval global with a letter of full width and reads it plainly.
def width():
    global ｅval
    return eval("64")
