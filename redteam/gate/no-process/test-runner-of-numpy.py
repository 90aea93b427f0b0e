# role: helper
# rule: prism:no-process | prism:no-dynamic-code
# tries: Has numpy's test runner import a plugin by name.
import numpy as np


def check():
    np.test(extra_argv=["-p", "plugin"])
