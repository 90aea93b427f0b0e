# role: architecture
# rule: prism:no-attribute-escape
# tries: An annotation that fails: the KeyError keeps the function that was asked for.
import numpy as np

functions = []


def read(thing, name="shape"):
    return getattr(thing, name)


def victim():
    pass


def build_model(ctx):
    try:
        def f(x: np.sctypeDict[read]):
            return x
    except KeyError as error:
        functions.append(error.args[0])
    return functions[0](victim, "__globals__")["__builtins__"]["eval"]("1+1")
