# role: helper
# rule: prism:no-dynamic-attr
# tries: Has logging fill a computed template in the style of str.format and keeps what it writes.
import logging

import torch


class Page:
    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def text():
    page = Page()
    handler = logging.StreamHandler(page)
    handler.setFormatter(logging.Formatter("{args[0]." + "_" * 2 + "doc" + "_" * 2 + "}", style="{"))
    logger = logging.getLogger("page")
    logger.addHandler(handler)
    logger.error("%s", torch.nn.LSTM)
    return page.text
