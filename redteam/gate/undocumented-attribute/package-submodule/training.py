# a package binds its submodule over a class of that name
import pkg.sub
from pkg import read


def train(ctx):
    read()("print('out')")
