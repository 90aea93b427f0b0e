# role: helper
# rule: prism:no-attribute-escape
# tries: Has functools.wraps copy the documentation of a library to a function of the bundle, and reads that.
import functools

import torch


@functools.wraps(torch.nn.functional.multi_head_attention_forward)
def attention(values):
    return values


def text():
    return attention.__doc__
