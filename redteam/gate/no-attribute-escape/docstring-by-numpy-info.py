# role: helper
# rule: prism:no-attribute-escape
# tries: Has numpy write the documentation of its functions into an object of the bundle.
import numpy as np


class Page:
    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


def texts():
    page = Page()
    for function in (np.linspace, np.einsum, np.histogram):
        np.info(function, output=page)
    return page.text
