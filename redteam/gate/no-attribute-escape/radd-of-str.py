# role: architecture
# rule: prism:no-attribute-escape
# tries: 'weight_' + own where own is a str below UserString.
from collections import UserString


class Own(str, UserString):
    def __new__(cls, text):
        return super().__new__(cls, "__globals__")

    def __init__(self, text):
        self.data = ""


def build_model(ctx):
    return getattr(build_model, "weight_" + Own("x"))["__builtins__"]["eval"]("1+1")
