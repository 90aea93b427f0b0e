# role: architecture
# rule: prism:no-dynamic-attr
# tries: An f-string gives an object of a class below `str` to a template.

import torch


class Text(str):
    pass


class Show:
    def __init__(self, of):
        self.of = of

    def __format__(self, spec):
        text = Text("x")
        text.of = self.of
        return text


def run():
    template = "".join(["{0.of.", "_", "_doc_", "_}"])
    return template.format(f"{Show(torch.nn.Linear)}")


def build_model(ctx):
    return run()
