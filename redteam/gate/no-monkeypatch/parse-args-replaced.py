# role: architecture
# rule: prism:no-monkeypatch
# tries: Parser.parse_args = own: what it gives is believed to be a namespace.
import argparse

import torch.nn.functional as F

things = [F]


def give():
    return things.pop()


def build_model(ctx):
    parser = argparse.ArgumentParser()
    parser.parse_args = give
    torch = vars(parser.parse_args())["torch"]
    things.append(torch)
    return vars(parser.parse_args())["os"].getpid()
