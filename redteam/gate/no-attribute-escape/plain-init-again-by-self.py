# role: architecture
# rule: prism:no-attribute-escape
# tries: `parser.__init__(self, ...)` with `self` as an argument makes a parser that reads files.

import argparse

import torch


class Text(str):
    def arm(self, parser):
        parser.__init__(self, None, None, None, [], argparse.ArgumentDefaultsHelpFormatter, "-", "@")


def run():
    parser = argparse.ArgumentParser()
    Text("prog").arm(parser)
    parser.add_argument("words", nargs="*")
    return parser.parse_args(["@/etc/hostname"]).words


def build_model(ctx):
    return run()
