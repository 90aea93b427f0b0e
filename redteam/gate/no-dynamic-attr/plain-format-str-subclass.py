# role: architecture
# rule: prism:no-dynamic-attr
# tries: `str(x)` gives an object of a class below `str` to a template.

import torch


class Text(str):
    pass


class Show:
    def __init__(self, of):
        self.of = of

    def __str__(self):
        text = Text("x")
        text.of = self.of
        return text


def run():
    template = "".join(["{0.of.", "_", "_doc_", "_}"])
    return template.format(str(Show(torch.nn.Linear)))


def build_model(ctx):
    return run()
