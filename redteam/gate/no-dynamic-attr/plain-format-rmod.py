# role: architecture
# rule: prism:no-dynamic-attr
# tries: `"%s" % x` of a class below `str` gives an object of its own to a template.

import torch


class Text(str):
    def __rmod__(self, other):
        return torch.nn.Linear


def run():
    template = "".join(["{0.", "_", "_doc_", "_}"])
    return template.format("%s" % Text("x"))


def build_model(ctx):
    return run()
