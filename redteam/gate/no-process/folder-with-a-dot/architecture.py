import os


def build_model(ctx):
    return os.getpid()
