# role: architecture
# rule: prism:no-monkeypatch
# tries: `parse_args(*[[], x])` sets what it reads on `x`.

import argparse
import warnings

import torch


def run():
    parser = argparse.ArgumentParser()
    d = vars(parser.parse_args(*[[], warnings.catch_warnings()]))
    d = vars(parser.parse_args(*[[], d["_module"]]))
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
