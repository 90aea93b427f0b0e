# import * binds over a constant
KEY = "shape"
from helper import *


def other():
    return 1


def train(ctx):
    getattr(other, KEY)["__builtins__"]["exec"]("print('out')")
