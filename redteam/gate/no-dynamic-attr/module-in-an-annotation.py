# role: helper
# rule: prism:no-dynamic-attr
# tries: Annotates a parameter with the module torch and reads the annotation.
import torch


def step(library: torch):
    return library


LOAD = step.__annotations__["library"].hub.load
