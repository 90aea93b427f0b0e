# role: architecture
# rule: prism:no-monkeypatch
# tries: Parser.parse_known_args = own: what parse_args gives is believed to be a namespace.
import argparse

import torch.nn.functional as F

things = [F]


def give(args, namespace):
    return things.pop(), []


def build_model(ctx):
    parser = argparse.ArgumentParser()
    parser.parse_known_args = give
    torch = vars(parser.parse_args())["torch"]
    things.append(torch)
    return vars(parser.parse_args())["os"].getpid()
