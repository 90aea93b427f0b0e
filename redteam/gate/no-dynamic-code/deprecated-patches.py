# role: architecture
# rule: prism:no-dynamic-code
# tries: Typing_extensions.deprecated(...)(nn.Linear) replaces its __new__.
import typing_extensions
from torch import nn


class Own(UserWarning):
    pass


def build_model(ctx):
    before = nn.Linear(1, 1)
    typing_extensions.deprecated("patched", category=Own)(nn.Linear)
    try:
        import warnings

        warnings.simplefilter("error")
        return nn.Linear(1, 1)
    except Own as error:
        return str(error)
