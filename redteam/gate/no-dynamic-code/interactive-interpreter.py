# role: helper
# rule: prism:no-dynamic-code
# tries: Runs source text with the interpreter class of the code module.
from code import InteractiveInterpreter as Layer


def width():
    return Layer({"w": 64}).runsource("print(w)")
