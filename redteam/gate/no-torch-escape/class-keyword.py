# role: helper
# rule: prism:no-torch-escape | prism:no-dynamic-attr
# tries: Gives torch to a class as a keyword, which its base receives.
import torch


class Base:
    def __init_subclass__(cls, library=None):
        library.hub.load("owner/repository", "model")


class Child(Base, library=torch):
    pass
