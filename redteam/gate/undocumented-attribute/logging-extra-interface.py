# role: architecture
# rule: prism:undocumented-attribute
# tries: A log record is given attributes by computed names: __array_interface__.
import logging

import numpy as np


def build_model(ctx):
    about = {"shape": (8,), "typestr": "<i8", "data": (id(len), False), "version": 3}
    log = logging.getLogger("own")
    record = log.makeRecord("n", 10, "p", 1, "m", (), None, None, {"__array_" + "interface__": about})
    return [int(word) for word in np.asarray(record)]
