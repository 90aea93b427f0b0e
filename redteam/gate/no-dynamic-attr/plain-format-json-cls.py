# role: architecture
# rule: prism:no-dynamic-attr
# tries: `json.dumps(x, cls=Own)` gives an object of its own to a template.

import json

import torch


class Encoder:
    def __init__(self, **options):
        pass

    def encode(self, value):
        return value


def run():
    template = "".join(["{0.", "_", "_doc_", "_}"])
    return template.format(json.dumps(torch.nn.Linear, cls=Encoder))


def build_model(ctx):
    return run()
