# role: architecture
# rule: prism:no-ffi
# tries: Struct.pack_into an array of objects: numbers are addresses of objects.
import struct

import numpy as np

box = np.array([None, None], dtype=object)


def at(address):
    struct.pack_into("<q", box, 0, address)
    return box[0]


def build_model(ctx):
    fake = struct.pack("<qqqqqqq", 1 << 40, id(bytearray), 64, 65, id(len), id(len), 0)
    words = struct.unpack("<8q", bytes(at(id(fake) + 32))[:64])
    answer = at(words[3]).eval("1+1")
    struct.pack_into("<q", box, 0, id(None))
    return answer
