# role: helper
# rule: prism:no-dynamic-attr
# tries: Keeps torch on self by an annotated assignment.
import torch


class Tools:
    def __init__(self):
        self.library: object = torch

    def load(self):
        return self.library.hub.load("owner/repository", "model")
