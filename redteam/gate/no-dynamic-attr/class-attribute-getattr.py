# role: helper
# rule: prism:no-dynamic-attr
# tries: Keeps getattr as a class attribute, which does not bind and stays what it was.
import torch


class Config:
    pick = getattr


def door(name):
    return Config.pick(torch, name)
