# role: helper
# rule: prism:no-dynamic-attr
# tries: Fails an assertion whose message is torch and takes it out of the exception.
import torch


def loader():
    try:
        assert not torch.float32.is_floating_point, torch
    except AssertionError as error:
        return error.args[0].hub.load
