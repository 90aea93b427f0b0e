# role: training
# rule: prism:no-attribute-escape
# tries: parser.__init__ by place: a parser that reads files.
import argparse


def train(ctx):
    parser = argparse.ArgumentParser()
    parser.__init__(None, None, None, None, [], argparse.ArgumentDefaultsHelpFormatter, "-", "@")
    names, lines = parser.parse_known_args(["@/etc/passwd"])
    print("PWNED read", lines[:2])
