# role: architecture
# rule: prism:no-ffi
# tries: Torch.frombuffer over an array of objects: numbers are addresses of objects.
import struct

import numpy as np
import torch

box = np.array([None, None], dtype=object)
raw = torch.frombuffer(box, dtype=torch.int64)


def at(address):
    raw[0] = address
    return box[0]


def build_model(ctx):
    fake = struct.pack("<qqqqqqq", 1 << 40, id(bytearray), 64, 65, id(len), id(len), 0)
    words = struct.unpack("<8q", bytes(at(id(fake) + 32))[:64])
    answer = at(words[3]).eval("1+1")
    raw[0] = id(None)
    return answer
